import numpy as np
import pytest

from pyimagesearch.io.images.decoding import read_image
from pyimagesearch.predicting.contactsheet import PER_PAGE, ContactSheet, page_paths
from pyimagesearch.predicting.files import Prediction


def sheet_of(path, count, name="cat"):
    sheet = ContactSheet(path, [name, "dog"])
    for number in range(count):
        sheet.add(Prediction(f"{number}.png", np.array([0.75, 0.25]), np.full((80, 160, 3), (10, 10, 200), np.uint8)))
    return sheet.close()


@pytest.mark.parametrize(("count", "pages"), [(0, 0), (1, 1), (PER_PAGE, 1), (PER_PAGE + 1, 2)])
def test_pages_are_full_before_the_next(tmp_path, count, pages):
    files = sheet_of(tmp_path / "a.png", count)
    assert files == page_paths(tmp_path / "a.png", count)[:pages]
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_colours_are_right_and_something_stands_below(tmp_path):
    (file,) = sheet_of(tmp_path / "a.png", 1)
    page = read_image(file)
    assert page[88, 88].tolist() == [10, 10, 200]
    assert (page[170:200] < 100).any()


@pytest.mark.parametrize("name", ["x" * 100_000, "\x00\n" * 500, "$a_{", "猫犬" * 50])
def test_any_name_leaves_room_for_its_probability(tmp_path, name):
    plain, strange = (read_image(sheet_of(tmp_path / f"{i}.png", 1, text)[0]) for i, text in enumerate(("cat", name)))
    assert plain.shape == strange.shape
    assert (strange[170:185, 176 - 8 :] == 255).all()
