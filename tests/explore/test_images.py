import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.explore.images import ImageRows
from pyimagesearch.explore.summary import summarize
from pyimagesearch.explore.survey import survey
from pyimagesearch.samples.animals import paint


@pytest.fixture
def pictures():
    return np.stack([cv2.resize(paint("cat", np.random.default_rng(n)), (80, 70)) for n in range(6)])


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_rows_of_our_files(write_dataset, pictures, encoding):
    paths = [f"{n}.jpg" for n in range(6)]
    images = ImageRows(write_dataset(pictures, paths=paths, encoding=encoding))
    figures = summarize(survey(images, 2), 64, 3)
    assert figures["width"]["max"] == 80
    assert figures["height"]["max"] == 70
    assert figures["formats"] == {f"{encoding} uint8": 6}
    assert {name: each["images"] for name, each in figures["classes"].items()} == {"cat": 3, "dog": 3}
    means = dict(zip("BGR", pictures.mean(axis=(0, 1, 2)), strict=True))
    assert figures["channel_means"] == pytest.approx(means, abs=0 if encoding == "raw" else 1.5)
    assert figures["darkest"] in paths


@pytest.mark.parametrize("scale", [1, 255])
def test_rows_of_the_book_s_files(tmp_path, pictures, scale):
    with h5py.File(tmp_path / "book.hdf5", "w") as file:
        file["images"] = np.concatenate([pictures, pictures[:1]]).astype("float64") / scale
        file["labels"] = [0, 1, 0, 1, 0, 1, 1]
        if scale == 255:  # the book stores 0 to 255, so that the order must be said
            file.attrs["color_order"] = "BGR"
    images = ImageRows(tmp_path / "book.hdf5")
    found = survey(images, 2)
    assert images.label_names == ["0", "1"]
    assert found.means == pytest.approx(np.concatenate([pictures, pictures[:1]]).mean(axis=(1, 2)))
    assert found.exact == found.conflicts == [[0, 6]]
    assert summarize(found, 64, 3)["duplicates"]["exact"] == [["row 0", "row 6"]]
    assert (images.picture(2) == pictures[2]).all()


def test_rows_in_rgb_are_turned(tmp_path, pictures):
    with h5py.File(tmp_path / "rgb.hdf5", "w") as file:
        file["images"], file["labels"] = pictures, [0] * 6
        file.attrs["color_order"] = "RGB"
    assert (ImageRows(tmp_path / "rgb.hdf5").picture(0) == pictures[0][..., ::-1]).all()


def test_features_are_no_images(write_dataset):
    with pytest.raises(UserError, match="must hold images of shape"):
        ImageRows(write_dataset(np.zeros((4, 3), np.float32)))
