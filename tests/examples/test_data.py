import pickle
import re

import cv2
import keras
import numpy as np
import pytest

from examples._data import CIFAR10, pack_cifar10, pack_mnist
from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import open_file


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2 wrote its strings, which CIFAR-10's files are full of."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_string(self, text):
        data = text.encode("latin-1") if isinstance(text, str) else text
        self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)

    dispatch[str] = dispatch[bytes] = save_string


def write_batch(path, images, labels):
    rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    with path.open("wb") as file:
        batch = {"batch_label": path.name, "data": rows, "labels": [int(label) for label in labels]}
        Python2Pickler(file, protocol=2).dump(batch)


@pytest.fixture
def batches(patterns, tmp_path):
    """Return a folder as cifar-10-python.tar.gz unpacks to it."""
    folder = tmp_path / "batches/cifar-10-batches-py"
    folder.mkdir(parents=True)
    for number in range(5):
        part = slice(60 * number, 60 * number + 60)
        write_batch(folder / f"data_batch_{number + 1}", patterns["x_train"][part], patterns["y_train"][part])
    write_batch(folder / "test_batch", patterns["x_test"], patterns["y_test"])
    return folder


def write_images(folder, images, labels, flat=False):
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / (f"{number}.png" if flat else f"{CIFAR10[label]}/{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image[..., ::-1])


def content(path):
    with open_file(path) as file:
        return file["images"][:], file["labels"][:]


def as_rows(images, labels):
    """Return BGR images with their labels, whatever their order."""
    return {(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)}


def assert_is(paths, patterns):
    for path, name in zip(paths, ("train", "test"), strict=True):
        header = read_header(path)
        assert header.label_names == list(CIFAR10)
        assert header.color_order == "BGR"
        assert as_rows(*content(path)) == as_rows(patterns[f"x_{name}"][..., ::-1], patterns[f"y_{name}"])


@pytest.mark.parametrize("place", [".", ".."])
def test_cifar_10_s_own_batches(place, batches, patterns, tmp_path):
    paths = pack_cifar10(str(batches / place), tmp_path, 0, False)
    assert_is(paths, patterns)
    np.testing.assert_array_equal(content(paths[0])[1], patterns["y_train"])


@pytest.mark.parametrize("column", [False, True])
def test_an_npz_file_of_either_shape_of_labels(column, patterns, tmp_path):
    shape = (-1, 1) if column else (-1,)
    labels = {name: patterns[name].reshape(shape) for name in ("y_train", "y_test")}
    np.savez(tmp_path / "cifar.npz", **{**patterns, **labels})
    assert_is(pack_cifar10(str(tmp_path / "cifar.npz"), tmp_path, 0, False), patterns)


def test_folders_of_classes_below_train_and_test(patterns, tmp_path):
    for name in ("train", "test"):
        write_images(tmp_path / "images" / name, patterns[f"x_{name}"], patterns[f"y_{name}"])
    assert_is(pack_cifar10(str(tmp_path / "images"), tmp_path, 0, False), patterns)


def test_a_folder_for_each_class_is_split(patterns, tmp_path):
    write_images(tmp_path / "images", patterns["x_train"], patterns["y_train"])
    train, test = map(content, pack_cifar10(str(tmp_path / "images"), tmp_path, 0, False))
    assert np.bincount(test[1]).tolist() == [5] * 10
    assert as_rows(*train) | as_rows(*test) == as_rows(patterns["x_train"][..., ::-1], patterns["y_train"])
    assert not as_rows(*train) & as_rows(*test)
    other = content(pack_cifar10(str(tmp_path / "images"), tmp_path / "other", 1, False)[1])
    assert as_rows(*other) != as_rows(*test)


def test_a_csv_list_is_split(patterns, tmp_path):
    write_images(tmp_path / "train", patterns["x_train"], patterns["y_train"], flat=True)
    lines = [f"{number},{CIFAR10[label]}" for number, label in enumerate(patterns["y_train"])]
    (tmp_path / "trainLabels.csv").write_text("\n".join(["id,label", *lines]))
    train, test = map(content, pack_cifar10(str(tmp_path / "trainLabels.csv"), tmp_path / "output", 0, False))
    assert (len(train[1]), len(test[1])) == (250, 50)
    assert as_rows(*train) | as_rows(*test) == as_rows(patterns["x_train"][..., ::-1], patterns["y_train"])


def test_images_of_other_sizes_are_resized(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (24, 50, 40, 3), np.uint8)
    write_images(tmp_path / "images", images, np.arange(24) % 2)
    train, _ = pack_cifar10(str(tmp_path / "images"), tmp_path, 0, False)
    assert read_header(train).shape == (20, 32, 32, 3)


def test_too_few_images_to_split(patterns, tmp_path):
    write_images(tmp_path / "images", patterns["x_train"][:10], np.arange(10) % 5)
    with pytest.raises(UserError, match=r"dataset: .* must hold enough images .*; it holds 10, the rarest class 2 "):
        pack_cifar10(str(tmp_path / "images"), tmp_path, 0, False)


@pytest.mark.parametrize("first", [False, True])
def test_what_keras_downloads_is_packed_whatever_its_order_of_axes(first, patterns, tmp_path, monkeypatch):
    def load():
        images = [np.moveaxis(patterns[name], -1, 1) if first else patterns[name] for name in ("x_train", "x_test")]
        return (images[0], patterns["y_train"][:, None]), (images[1], patterns["y_test"][:, None])

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", load)
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first" if first else "channels_last")
    assert_is(pack_cifar10(None, tmp_path, 0, False), patterns)


def test_a_batch_that_would_run_a_program_is_refused(batches, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (print, ("you lost",))

    (batches / "data_batch_3").write_bytes(pickle.dumps({b"data": Hostile()}))
    with pytest.raises(UserError, match=r"data_batch_3 must be a Python batch .*it asks for builtins\.print"):
        pack_cifar10(str(batches), tmp_path, 0, False)


@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "text", "other"])
def test_a_damaged_batch(damage, batches, tmp_path, patterns):
    path = batches / "data_batch_5"
    whole = path.read_bytes()
    path.unlink()
    if damage == "other":
        write_batch(path, patterns["x_test"][:5], [1, 2])
    elif damage != "missing":
        path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"no pickle"}[damage])
    with pytest.raises(UserError, match=r"dataset: .*data_batch_5 must be a Python batch of CIFAR-10; .* unpack"):
        pack_cifar10(str(batches), tmp_path / "output", 0, False)
    assert not (tmp_path / "output").exists()


GOOD = {"x_train": np.zeros((2, 28, 28), np.uint8), "y_train": np.arange(2)}
GOOD |= {"x_test": np.zeros((1, 28, 28), np.uint8), "y_test": np.arange(1)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((2, 28, 28))}, r"uint8 of shape \(n, 28, 28\).*received \(2, 28, 28\), float64"),
        ({"x_test": np.zeros((1, 32, 32, 3), np.uint8)}, r"uint8 of shape \(n, 28, 28\).*received \(1, 32, 32, 3\)"),
        ({"y_train": np.arange(3)}, "a whole number as the label of each image.*received 2 images and 3 labels"),
        ({"y_test": np.zeros(1)}, "a whole number as the label.*received 1 images and 1 labels, float64"),
        ({"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.arange(0)}, "at least one image for training"),
        ({"y_train": np.array([0, -1])}, "labels: must be at least 0; received -1"),
        ({"y_train": np.array([0, 10])}, "labels: must be below 10, the number of class names; received 10"),
        ({"y_train": np.array([{}, 1], object)}, "must be an .npz file .* damaged .*allow_pickle"),
    ],
)
def test_an_npz_file_with_other_arrays_than_mnist_s(change, message, tmp_path):
    np.savez(tmp_path / "data.npz", **{**GOOD, **change})
    with pytest.raises(UserError, match=message):
        pack_mnist(str(tmp_path / "data.npz"), tmp_path, 0, False)
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def spoil_text(path):
    path.write_text("no arrays")


def spoil_array(path):
    with path.open("wb") as file:
        np.save(file, np.arange(3))


def spoil_name(path):
    np.savez(path, x_train=GOOD["x_train"])


def spoil_end(path):
    np.savez(path, **GOOD)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize("spoil", [spoil_text, spoil_array, spoil_name, spoil_end])
def test_what_is_no_npz_file_of_mnist(spoil, tmp_path):
    path = tmp_path / "data.npz"
    spoil(path)
    message = f"dataset: {re.escape(str(path))} must be an .npz file with the arrays x_train, y_train, x_test, y_test"
    with pytest.raises(UserError, match=message):
        pack_mnist(str(path), tmp_path, 0, False)


def test_digits_are_packed_as_they_are(digits, tmp_path):
    with np.load(digits) as file:
        paths = pack_mnist(str(digits), tmp_path, 0, False)
        for path, name in zip(paths, ("train", "test"), strict=True):
            images, labels = content(path)
            np.testing.assert_array_equal(images[..., 0], file[f"x_{name}"])
            np.testing.assert_array_equal(labels, file[f"y_{name}"])
            assert read_header(path).label_names == list("0123456789")


def test_a_missing_folder(tmp_path):
    with pytest.raises(UserError, match="nowhere, which does not exist"):
        pack_cifar10(str(tmp_path / "nowhere"), tmp_path, 0, False)
