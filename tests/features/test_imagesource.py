import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.features.imagesource import open_images
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.preprocessing import SimplePreprocessor

NAMES = ["cat.0.png", "cat.1.png", "dog.0.png", "dog.1.png"]
RESIZE = SimplePreprocessor(4, 4)


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (4, 9, 8, 3), np.uint8)


@pytest.fixture
def folder(tmp_path, images):
    (tmp_path / "images").mkdir()
    for name, image in zip(NAMES, images, strict=True):
        cv2.imwrite(str(tmp_path / "images" / name), image)
    return tmp_path / "images"


def resized(images):
    return np.stack([RESIZE.preprocess(image) for image in images])


def test_a_folder_gives_its_images_by_index(folder, images):
    source = open_images(folder, label_from_name, threads=2)
    assert source.paths == NAMES
    assert source.labels.tolist() == [0, 0, 1, 1]
    assert source.label_names == ["cat", "dog"]
    np.testing.assert_array_equal(source.read(np.array([3, 1]), RESIZE), resized(images[[3, 1]]))
    source.close()


@pytest.mark.parametrize("color_order", ["BGR", "RGB"])
def test_a_file_gives_its_images_by_index_as_bgr(write_dataset, images, color_order):
    stored = images if color_order == "BGR" else np.ascontiguousarray(images[..., ::-1])
    path = write_dataset(stored, [0, 0, 1, 1], paths=NAMES, color_order=color_order)
    source = open_images(path, label_from_name, threads=2)
    assert source.paths == NAMES
    assert source.labels.tolist() == [0, 0, 1, 1]
    assert source.label_names == ["cat", "dog"]
    np.testing.assert_array_equal(source.read(np.array([3, 1]), RESIZE), resized(images[[3, 1]]))
    source.close()


def test_classes_without_names_are_numbered(tmp_path, images):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["images"], file["labels"] = images, [0, 2, 1, 0]
    source = open_images(tmp_path / "a.hdf5", label_from_name, threads=1)
    assert source.label_names == ["0", "1", "2"]
    assert source.paths == []
    source.close()


def test_one_class_is_too_few(folder):
    with pytest.raises(UserError, match="at least two classes are needed"):
        open_images(folder, lambda _: "pet", threads=1)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"dataset: must be a folder of images; received .*none, which does not exist"):
        open_images(tmp_path / "none", label_from_name, threads=1)


@pytest.mark.parametrize("shape", [(4, 6), (4, 9, 8, 4), (4, 9, 8)])
def test_a_file_must_hold_colour_images(write_dataset, shape):
    path = write_dataset(np.zeros(shape, np.uint8), [0, 0, 1, 1])
    with pytest.raises(
        UserError, match=r"dataset: .*data\.hdf5 must hold images of shape \(n, h, w, 3\) or \(n, h, w, 1\), uint8"
    ):
        open_images(path, label_from_name, threads=1)


def test_gray_images_get_three_equal_channels(write_dataset, folder, images, caplog):
    caplog.set_level("INFO")
    gray = images[..., :1]
    path = write_dataset(gray, [0, 0, 1, 1])
    with open_images(path, label_from_name, threads=1) as source:
        read = source.read(np.array([2, 0]), RESIZE)
    np.testing.assert_array_equal(read, resized(np.repeat(gray[[2, 0]], 3, axis=-1)))
    assert f"{path}: gray images, as three equal channels" in caplog.text
    with open_images(folder, label_from_name, decoding=Decoding(1)) as source:
        read = source.read(np.array([1]), RESIZE)
        assert source.gray
    assert (read == read[..., :1]).all()
    with open_images(folder, label_from_name) as colour:
        assert not colour.gray
        assert colour.identity != source.identity


def test_files_are_read_by_the_rules_given(tmp_path, rng):
    deep = rng.integers(0, 4096, (2, 4, 4, 3), np.uint16)
    for name, image in zip(("cat.0.png", "dog.0.png"), deep, strict=True):
        cv2.imwrite(str(tmp_path / name), image)
    dark, bright = (
        open_images(tmp_path, label_from_name, decoding=rules) for rules in (Decoding(), Decoding(max_value=4095))
    )
    np.testing.assert_array_equal(bright.read(np.arange(2), RESIZE), np.rint(deep * (255 / 4095)).astype(np.uint8))
    assert dark.read(np.arange(2), RESIZE).max() < 16
    assert dark.identity != bright.identity
