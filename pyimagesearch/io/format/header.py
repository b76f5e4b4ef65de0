"""What one HDF5 file says of itself."""

import os
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

import pyimagesearch
from pyimagesearch.errors import UserError
from pyimagesearch.io.format.layout import FORMAT, KEYS, VERSION, metadata_checksum, read_strings
from pyimagesearch.io.format.sandbox import vet
from pyimagesearch.io.format.untrusted import open_dataset, read_text

_LARGEST_SIDE = 65500


class Header(NamedTuple):
    """What a data set's file says of itself.

    Attributes:
        path: the file.
        key: the name of the rows' dataset.
        encoding: "raw" or "jpeg".
        shape: shape of all rows, (n, ...); those of JPEG images as they are decoded.
        dtype: dtype of a row.
        labels: int64 ndarray of shape (n,).
        label_names: the classes' names, or an empty list where the file has none.
        color_order: "BGR" or "RGB"; files that do not say are BGR, as the book's are.
        ours: whether this package wrote the file.
        build: the mark of files that were made together, or "".
        recipe: how features were made, as JSON, or "".
        shards: the headers of the files that hold the rows, in order, where these are not in ``path`` itself.
    """

    path: Path
    key: str
    encoding: str
    shape: tuple[int, ...]
    dtype: np.dtype
    labels: np.ndarray
    label_names: list[str]
    color_order: str
    ours: bool
    build: str
    recipe: str = ""
    shards: tuple["Header", ...] = ()

    @property
    def parts(self) -> tuple["Header", ...]:
        """The headers of the files that hold the rows, in order: the shards, or this one alone."""
        return self.shards or (self,)

    @property
    def stored_size(self) -> int:
        """The sides of square images, in pixels; 0 for all other rows."""
        square = len(self.shape) == 4 and self.shape[1] == self.shape[2]
        return self.shape[1] if square else 0


def open_file(path: str | os.PathLike[str]) -> h5py.File:
    """Open an HDF5 file for reading, once another process has done it unharmed (see `io.vetting`).

    Raises:
        UserError: there is no such file, or it is not HDF5, damaged or hostile.
    """
    if not os.path.isfile(path):
        raise UserError(
            f"data set: {os.fspath(path)} does not exist or is no file; check the path, "
            "or run the step that writes it first"
        )
    vet(path)
    try:
        return h5py.File(path, "r", locking=False)  # a finished file never changes
    except OSError as error:
        raise UserError(
            f"data set: {os.fspath(path)} must be an HDF5 file; it is not, or it is damaged ({error}); "
            "check the path or build the file again"
        ) from error


def is_ours(file: h5py.File, unfinished: bool = False) -> bool:
    """Return whether this package wrote an open file.

    Args:
        unfinished: whether an unfinished file is welcome.

    Raises:
        UserError: this package wrote it, and it is unfinished or of a newer format.
        ValueError: its attributes are not what was written.
    """
    ours = read_text(file, "format") == FORMAT
    if ours:
        _check_ours(file, Path(file.filename), unfinished)
    elif "checksum" in file.attrs and "format_version" in file.attrs:
        raise ValueError("its attribute format is not what was written")
    return ours


def header_of_file(file: h5py.File, ours: bool) -> Header:
    """Read the header of an open file that holds its rows itself.

    Raises:
        UserError: it holds no labelled rows.
    """
    path = Path(file.filename)
    jpeg = ours and read_text(file, "encoding") == "jpeg"
    keys = ("jpeg",) if jpeg else KEYS
    found = {key: open_dataset(file, key) for key in keys}
    key = next((k for k in keys if found[k] is not None), None)
    labels = open_dataset(file, "labels")
    if key is None or labels is None:
        raise UserError(
            f"data set: {path} must hold labels and one of {', '.join(keys)}; it holds "
            f"{', '.join(file) or 'nothing'}; was it made by another program?"
        )
    shape, dtype = file[key].shape, file[key].dtype
    if jpeg:
        shape, dtype = _jpeg_shape(file), np.dtype(np.uint8)
    if labels.ndim != 1 or len(shape) < 2 or shape[0] != len(labels) or shape[0] == 0 or dtype.kind not in "iuf":
        raise UserError(
            f"data set: {path} must hold numbers, and one label for each of its rows, at least one; "
            f"{key} has shape {shape} and dtype {dtype}, labels {labels.shape}; build the file again"
        )
    return Header(
        path=path,
        key=key,
        encoding="jpeg" if jpeg else "raw",
        shape=shape,
        dtype=dtype,
        labels=read_class_numbers(labels, path),
        label_names=read_strings(file, "label_names"),
        color_order=read_text(file, "color_order", "BGR"),
        ours=ours,
        build=read_text(file, "build"),
        recipe=read_text(file, "recipe"),
    )


def _jpeg_shape(file: h5py.File) -> tuple[int, ...]:
    ends, image = open_dataset(file, "jpeg_ends"), np.asarray(file.attrs["image_shape"])
    if ends is None or image.shape != (3,) or image.min() < 1 or image[:2].max() > _LARGEST_SIDE or image[2] > 4:
        raise ValueError(f"jpeg_ends and image_shape do not describe images: {ends}, {image}")
    return (*ends.shape, *map(int, image))


def _check_ours(file: h5py.File, path: Path, unfinished: bool) -> None:
    version = file.attrs.get("format_version")
    if not isinstance(version, np.integer) or not 1 <= version <= VERSION:
        raise UserError(
            f"data set: {path} has format version {version}; this pyimagesearch "
            f"{pyimagesearch.__version__} reads versions up to {VERSION}; install a newer one"
        )
    complete = file.attrs.get("complete", False)
    if not unfinished and not (isinstance(complete, np.bool_) and complete):
        raise UserError(f"data set: {path} is incomplete: its writer was stopped; build it again")
    if not unfinished and metadata_checksum(file) != file.attrs.get("checksum"):
        raise ValueError("attributes or names of classes are not what was written")


_MOST_CLASSES = 2**20


def read_class_numbers(labels: h5py.Dataset, path: Path) -> np.ndarray:
    """Return a dataset of labels as int64 ndarray of shape (n,).

    Raises:
        UserError: they are no whole numbers from 0 on, below 2**20.
    """
    numbers = labels[:]
    if numbers.dtype.kind not in "iuf":
        raise UserError(
            f"data set: the labels of {path} must be whole numbers from 0 on; received dtype {numbers.dtype}; "
            "store class numbers, and names in label_names"
        )
    with np.errstate(invalid="ignore"):
        classes = numbers.astype(np.int64)
    wrong = np.flatnonzero((classes != numbers) | (classes < 0) | (classes >= _MOST_CLASSES))
    if len(wrong):
        raise UserError(
            f"data set: the labels of {path} must be whole numbers from 0 on; received dtype {numbers.dtype}, row "
            f"{wrong[0]} has {numbers[wrong[0]]}; store class numbers below {_MOST_CLASSES:,}, and names in label_names"
        )
    return classes
