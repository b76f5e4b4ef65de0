import os

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.predicting.imagepaths import find_images


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/2.jpg", "a/1.PNG", "a/deep/3.gif", "a/notes.txt", "b/4.jpg", "odd[1].jpg", "no_suffix"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["b", "a"], ["b/4.jpg", "a/1.PNG", "a/2.jpg", "a/deep/3.gif"]),
        (["a/*"], ["a/1.PNG", "a/2.jpg", "a/deep/3.gif"]),
        (["**/*.jpg"], ["a/2.jpg", "b/4.jpg", "odd[1].jpg"]),
        (["odd[1].jpg", "no_suffix"], ["odd[1].jpg", "no_suffix"]),
        (["a/2.jpg", "./a/2.jpg", "a", "a/deep/../2.jpg"], ["a/2.jpg", "a/1.PNG", "a/deep/3.gif"]),
    ],
)
def test_images_come_in_order_and_once(names, found):
    assert find_images(names) == found


def test_a_folder_behind_a_link_is_the_same_folder(tmp_path):
    os.symlink(tmp_path / "b", tmp_path / "link")
    assert find_images(["link", "b"]) == ["link/4.jpg"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jpg", r"image: none\.jpg does not exist; check the path"),
        ("a/*.txt", r"image: a/\*\.txt fits no images .* and no folders; check the pattern"),
    ],
)
def test_a_name_that_leads_nowhere(name, message):
    with pytest.raises(UserError, match=message):
        find_images(["b", name])
