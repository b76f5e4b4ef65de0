"""Pack MNIST or CIFAR-10 into HDF5: from Keras's download, from files, or from a small sample."""

import pickle
import socket
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pyimagesearch.building import SplitBuilder
from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter, label_from_folder
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.folder import check_classes
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.samples.animals import LABELS, paint
from pyimagesearch.utils.atomic import check_output

DIGITS = tuple("0123456789")
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

Split = tuple[np.ndarray, np.ndarray]
"""Images of shape (n, h, w) or (n, h, w, 3), uint8, RGB, and labels of shape (n,)."""

_CONNECT_SECONDS = 10
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_DRAWN = 1200


def pack_mnist(dataset: str | None, folder: Path, seed: int, force: bool) -> tuple[Path, Path]:
    """Write ``train.hdf5`` and ``test.hdf5`` of digits into ``folder`` and return their paths.

    Args:
        dataset: an ``.npz`` file of Keras's layout, "sample" for the digits that come with scikit-learn,
            or None to let Keras download MNIST.
        folder: where the files go.
        seed: of the sample's split.
        force: replace existing files.

    Raises:
        UserError: the data cannot be read, or the files exist.
    """
    paths = _outputs(folder, force)
    if dataset == "sample":
        splits = _sample_digits(seed)
    elif dataset:
        splits = _read_npz(Path(dataset), (28, 28))
    else:
        from keras.datasets import mnist

        splits = _download("MNIST", mnist.load_data)
    return _pack(splits, DIGITS, paths, force)


def pack_cifar10(dataset: str | None, folder: Path, seed: int, force: bool) -> tuple[Path, Path]:
    """Write ``train.hdf5`` and ``test.hdf5`` of small colour images into ``folder`` and return their paths.

    Args:
        dataset: an ``.npz`` file of Keras's layout, the folder of CIFAR-10's Python batches, a folder of
            images with a folder for each class (below ``train`` and ``test`` if it has them), a CSV list of
            images, "sample" for drawn cats and dogs, or None to let Keras download CIFAR-10.
        folder: where the files go.
        seed: of the split, where the data has none: a sixth is for testing.
        force: replace existing files.

    Raises:
        UserError: the data cannot be read, or the files exist.
    """
    paths = _outputs(folder, force)
    if dataset == "sample":
        return _pack(_sample_animals(seed), LABELS, paths, force)
    if dataset is None:
        from keras.datasets import cifar10

        return _pack(_download("CIFAR-10", cifar10.load_data), CIFAR10, paths, force)
    source = Path(dataset)
    for batches in (source, source / "cifar-10-batches-py"):
        if (batches / "test_batch").is_file():
            return _pack(_read_batches(batches), CIFAR10, paths, force)
    if source.suffix == ".npz":
        return _pack(_read_npz(source, (32, 32, 3)), CIFAR10, paths, force)
    return _pack_images(source, paths, seed, force)


def _outputs(folder: Path, force: bool) -> tuple[Path, Path]:
    return check_output(folder / "train.hdf5", force), check_output(folder / "test.hdf5", force)


def _pack(
    splits: tuple[Split, Split], names: tuple[str, ...], paths: tuple[Path, Path], force: bool
) -> tuple[Path, Path]:
    """Write arrays as images, gray or BGR."""
    for (images, labels), path in zip(splits, paths, strict=True):
        images = images[..., None] if images.ndim == 3 else images[..., ::-1]
        with HDF5DatasetWriter(images.shape, path, overwrite=force) as writer:
            writer.store_class_labels(names)
            writer.add(images, labels)
    return paths


def _pack_images(source: Path, paths: tuple[Path, Path], seed: int, force: bool) -> tuple[Path, Path]:
    images = list_images(source, label_from_folder)
    check_classes(images)
    tops = np.array([Path(path).parts[0] for path in images.paths])
    if set(tops) == {"train", "test"}:
        train, test = np.flatnonzero(tops == "train"), np.flatnonzero(tops == "test")
    else:
        train, test = _split(images.labels, seed, source)
    builder = SplitBuilder(images, {"train": train, "test": test}, AspectAwarePreprocessor(32, 32), Decoding(3))
    builder.build(dict(zip(("train", "test"), paths, strict=True)), overwrite=force, resume=False)
    return paths


def _split(labels: np.ndarray, seed: int, source: object) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    try:
        train, test = train_test_split(np.arange(len(labels)), test_size=1 / 6, stratify=labels, random_state=seed)
    except ValueError as error:
        raise UserError(
            f"dataset: {source} must hold enough images of each class for training and testing; it holds "
            f"{len(labels):,}, the rarest class {np.bincount(labels).min():,} ({error}); add images"
        ) from error
    return np.sort(train), np.sort(test)


def _sample(images: np.ndarray, labels: np.ndarray, seed: int) -> tuple[Split, Split]:
    train, test = _split(labels, seed, "the sample")
    return (images[train], labels[train]), (images[test], labels[test])


def _sample_digits(seed: int) -> tuple[Split, Split]:
    """Return scikit-learn's 1,797 digits of 8x8 pixels, enlarged to the 28x28 of MNIST."""
    from sklearn.datasets import load_digits

    small, labels = load_digits(return_X_y=True)
    pixels = (small.reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
    digits = [cv2.resize(image, (28, 28), interpolation=cv2.INTER_CUBIC) for image in pixels]
    return _sample(np.stack(digits), labels, seed)


def _sample_animals(seed: int) -> tuple[Split, Split]:
    labels = np.arange(_DRAWN) % 2
    drawn = [paint(LABELS[label], np.random.default_rng([seed, index])) for index, label in enumerate(labels)]
    small = [cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)[..., ::-1] for image in drawn]
    return _sample(np.stack(small), labels, seed)


def _download(name: str, load: Callable[[], Any]) -> tuple[Split, Split]:
    import keras

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        splits = load()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise UserError(
            f"dataset: {name} is not in ~/.keras/datasets and could not be downloaded ({error}); connect to the "
            f'internet once, pass a file that you have, or try dataset="sample"'
        ) from error
    finally:
        socket.setdefaulttimeout(patience)
    if splits[0][0].ndim == 4 and keras.config.image_data_format() == "channels_first":
        splits = tuple((np.moveaxis(images, 1, -1), labels) for images, labels in splits)
    (train, train_labels), (test, test_labels) = splits
    return (train, train_labels.ravel()), (test, test_labels.ravel())


def _read_npz(path: Path, shape: tuple[int, ...]) -> tuple[Split, Split]:
    if not path.is_file():
        raise UserError(f"dataset: {path} does not exist or is no file; check the path")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            x_train, y_train, x_test, y_test = (file[name] for name in _ARRAYS)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(
            f"dataset: {path} must be an .npz file with the arrays {', '.join(_ARRAYS)}; it is not, or it is "
            f"damaged ({error}); save it with numpy.savez"
        ) from error
    splits = (x_train, y_train.ravel()), (x_test, y_test.ravel())
    for images, labels in splits:
        if images.shape[1:] != shape or images.dtype != np.uint8:
            raise UserError(
                f"dataset: the images of {path} must be uint8 of shape (n, {', '.join(map(str, shape))}), in RGB if "
                f"they have colours; received {images.shape}, {images.dtype}"
            )
        if len(labels) != len(images) or not len(labels) or labels.dtype.kind not in "iu":
            raise UserError(
                f"dataset: {path} must hold a whole number as the label of each image, and at least one image for "
                f"training and testing; received {len(images):,} images and {len(labels):,} labels, {labels.dtype}"
            )
    return splits


class _BatchUnpickler(pickle.Unpickler):
    """Reads arrays, numbers and text; a pickle that asks for anything else could run a program."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the parts of a pickled array by name, and nothing else."""
        harmless = {"_reconstruct": np.zeros(0).__reduce__()[0], "ndarray": np.ndarray, "dtype": np.dtype}
        if module.partition(".")[0] == "numpy" and name in harmless:
            return harmless[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _read_batches(folder: Path) -> tuple[Split, Split]:
    """Return CIFAR-10 from its own files, each a pickle with rows of 1,024 red, green and blue pixels."""

    def read(name: str) -> Split:
        try:
            with (folder / name).open("rb") as file:
                batch = _BatchUnpickler(file, encoding="bytes").load()
            images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            labels = np.asarray(batch[b"labels"], np.int64).reshape(len(images))
        except (OSError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"dataset: {folder / name} must be a Python batch of CIFAR-10; it is missing, damaged or something "
                f"else ({error}); unpack cifar-10-python.tar.gz again"
            ) from error
        return images, labels

    shards = [read(f"data_batch_{number}") for number in range(1, 6)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*shards, strict=True))
    return (images, labels), read("test_batch")
