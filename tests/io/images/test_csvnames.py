"""Lines of lists whose images are missing, or nearly there."""

import logging
import unicodedata

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.csvlist import list_images

ACCENT = "café.jpg"
NEAR = {
    "A.JPG": "a.jpg",
    "sub\\b.jpg": "sub/b.jpg",
    "c.jpeg": "c.png",
    unicodedata.normalize("NFC", ACCENT): unicodedata.normalize("NFD", ACCENT),
    "TRAIN/d.jpg": "train/d.jpg",
}


@pytest.fixture
def write(tmp_path):
    for name in NEAR.values():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def write(*names):
        path = tmp_path / "list.csv"
        path.write_text("id,label\n" + "".join(f"{name},{'xy'[i % 2]}\n" for i, name in enumerate(names)), "utf-8")
        return path

    return write


@pytest.mark.parametrize("name", NEAR)
def test_a_name_that_nearly_fits_is_said_and_taken_on_request(write, name):
    path = write(name)
    with pytest.raises(UserError, match=r"missing are those of line 2 .* \(there is .*near_names=True"):
        list_images(path, label_from_name)
    assert list_images(path, label_from_name, near_names=True).paths == [NEAR[name]]


def test_of_several_near_names_none_is_taken(write, tmp_path):
    (tmp_path / "c.webp").touch()
    with pytest.raises(UserError, match=r"line 2 c\.jpg \(there is c\.png and c\.webp\)"):
        list_images(write("c.jpg"), label_from_name, near_names=True)


def test_images_of_other_lines_are_not_near(write):
    with pytest.raises(UserError, match=r"missing are those of line 3 c\.jpg; move the images there, or leave"):
        list_images(write("c.png", "c.jpg"), label_from_name, near_names=True)


def test_missing_images_are_left_out_and_listed(write, caplog):
    caplog.set_level(logging.INFO)
    images = list_images(write("a", "none", "c.png"), label_from_name, on_error="skip")
    assert images.paths == ["a.jpg", "c.png"]
    assert images.left_out.missing == {3: "none"}
    assert "left out lines of the list whose images are missing, 1 in all: line 3 none" in caplog.text
    with pytest.raises(UserError, match="missing are those of line 2 none"):
        list_images(write("none"), label_from_name, on_error="skip")
