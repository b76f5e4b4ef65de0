"""The header of one HDF5 file: what it says of itself."""

import os
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import h5py
import numpy as np

import pyimagesearch
from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.opening import open_hdf5, require_hdf5
from pyimagesearch.io.foreign.plan import Choices, Plan
from pyimagesearch.io.format.layout import FORMAT, KEYS, VERSION, utf8
from pyimagesearch.io.format.sandbox import try_in_sandbox
from pyimagesearch.io.format.untrusted import (
    damage_reported,
    damaged,
    open_dataset,
    read_attribute,
    read_number,
    read_strings,
    read_text,
)
from pyimagesearch.utils.text import classes_in_words

_LARGEST_SIDE = 65500
_MOST_CLASSES = 2**20
_HEAD = 2**16  # our attributes lie at the beginning of a file
_OUR_ATTRIBUTES = {"format", "format_version", "complete", "checksum", "encoding", "history", "build", "libraries"}


@dataclass(frozen=True)
class Provenance:
    """Where the rows of a file come from; each field is "" where that is unknown.

    Attributes:
        history: free text on how the rows were made.
        build: a mark shared by files that are made together.
        recipe: what made features, as `FeatureExtractor.recipe` gives it, so that a reader can make features of other
            images in the same way.
        libraries: the versions that made the rows, as JSON; for a new file those of this process by default.
    """

    history: str = ""
    build: str = ""
    recipe: str = ""
    libraries: str = ""


@dataclass(frozen=True, eq=False)
class Header:
    """Description of a data file, as read from it.

    Attributes:
        path: the file.
        key: the name of the rows' dataset.
        encoding: "raw" or "jpeg".
        shape: shape of all rows, (n, ...); of JPEG images once they are decoded.
        dtype: dtype of a row.
        labels: int64 ndarray of shape (n,).
        label_names: the names of the classes, or an empty list where the file has none.
        color_order: "BGR" or "RGB".
        provenance: where the rows come from.
        quality: of JPEG images, where the file says it.
        shards: the headers of the files that hold the rows, in order, where these are not in ``path`` itself.
        plan: how a file of another program is read; None for our own.
    """

    path: Path
    key: str
    encoding: str
    shape: tuple[int, ...]
    dtype: np.dtype
    labels: np.ndarray
    label_names: list[str]
    color_order: str
    provenance: Provenance = field(default_factory=Provenance)
    quality: int | None = None
    shards: tuple["Header", ...] = ()
    plan: Plan | None = None

    def __repr__(self) -> str:
        order = f", {self.color_order}" if self.shape[3:] == (3,) else ""
        rows = f"{self.shape[0]:,} rows of shape {self.shape[1:]}, {self.dtype}{order}, {self.encoding}"
        return f"<Header {self.path}: {rows}; {classes_in_words(self.label_names)}>"

    @property
    def build(self) -> str:
        """The mark of files that were made together, or ""."""
        return self.provenance.build

    @property
    def recipe(self) -> str:
        """How features were made, as JSON, or ""."""
        return self.provenance.recipe

    @property
    def files(self) -> tuple["Header", ...]:
        """The headers of the files that hold the rows, in order: the shards, or this one alone."""
        return self.shards or (self,)

    @cached_property
    def starts(self) -> list[int]:
        """The index of the first row of each of `files`."""
        return [0, *accumulate(file.shape[0] for file in self.files[:-1])]

    def locate(self, index: int) -> tuple[int, int]:
        """Return which of `files` holds a row, and the index of the row in it."""
        file = bisect_right(self.starts, index) - 1
        return file, index - self.starts[file]

    @property
    def stored_size(self) -> int:
        """The sides of square images, in pixels; 0 for all other rows."""
        square = len(self.shape) == 4 and self.shape[1] == self.shape[2]
        return self.shape[1] if square else 0

    @property
    def fit(self) -> str:
        """How images were made to fit their size, "crop", "pad" or "stretch"; "crop" where the file does not say."""
        from pyimagesearch.preprocessing.fitting import fit_of

        return fit_of(self.provenance.history)


def open_file(path: str | os.PathLike[str], choices: Choices | None = None) -> h5py.File:
    """Open an HDF5 file for reading.

    A file that does not begin as ours do is opened by another process first (see `sandbox`).

    Args:
        choices: what the user tells of a file of another program.

    Raises:
        UserError: there is no such file, or it is not HDF5, damaged or hostile.
    """
    require_hdf5(path)
    if not _begins_like_ours(path):
        try_in_sandbox(path, choices)
    try:
        return open_hdf5(path)
    except OSError as error:
        raise UserError(
            f"data set: {os.fspath(path)} must be an HDF5 file; it is not, or it is damaged ({error}); "
            "check the path or build the file again"
        ) from error


def _begins_like_ours(path: str | os.PathLike[str]) -> bool:
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    return b"format\0" in head and FORMAT.encode() in head


def is_ours(file: h5py.File) -> bool:
    """Return whether this package wrote an open file.

    Raises:
        UserError: this package wrote it, and it is damaged.
    """
    if read_text(file, "format") == FORMAT:
        return True
    with damage_reported(file.filename):
        others = _OUR_ATTRIBUTES - set(file.attrs)
    if not others - {"format"}:
        raise damaged(file.filename, "its attribute format is not what was written")
    return False


def header_of_file(file: h5py.File) -> Header:
    """Read the header of an open file of ours that holds its rows itself.

    Raises:
        UserError: it holds no labelled rows.
    """
    path = Path(file.filename)
    jpeg = read_text(file, "encoding") == "jpeg"
    keys = ("jpeg",) if jpeg else KEYS
    found = {key: open_dataset(file, key) for key in keys}
    key, rows = next(((key, rows) for key, rows in found.items() if rows is not None), ("", None))
    labels = open_dataset(file, "labels")
    if rows is None or labels is None:
        with damage_reported(path):
            names = ", ".join(map(str, file)) or "nothing"
        raise UserError(
            f"data set: {path} must hold labels and one of {', '.join(keys)}; it holds {names}; build it again"
        )
    shape, dtype = (_jpeg_shape(file), np.dtype(np.uint8)) if jpeg else (rows.shape or (), rows.dtype)
    if labels.shape != shape[:1] or len(shape) < 2 or shape[0] == 0 or dtype.kind not in "iuf":
        raise UserError(
            f"data set: {path} must hold numbers, and one label for each of its rows, at least one; "
            f"{key} has shape {shape} and dtype {dtype}, labels {labels.shape}; build the file again"
        )
    with damage_reported(path):
        classes = labels[:]
    return Header(
        path=path,
        key=key,
        encoding="jpeg" if jpeg else "raw",
        shape=shape,
        dtype=dtype,
        labels=_class_indexes(classes, path),
        label_names=read_strings(file, "label_names"),
        color_order=read_text(file, "color_order") or "BGR",
        provenance=Provenance(*(read_text(file, name) for name in ("history", "build", "recipe", "libraries"))),
        quality=read_number(file, "quality"),
    )


def _jpeg_shape(file: h5py.File) -> tuple[int, ...]:
    ends, image = open_dataset(file, "jpeg_ends"), read_attribute(file, "image_shape")
    if not (
        ends is not None
        and ends.ndim == 1
        and isinstance(image, np.ndarray)
        and image.shape == (3,)
        and image.dtype.kind in "iu"
        and image.min() >= 1
        and image[:2].max() <= _LARGEST_SIDE
        and image[2] <= 4
    ):
        raise damaged(file.filename, f"jpeg_ends and image_shape do not describe images: {ends}, {image}")
    return (*ends.shape, *map(int, image))


def validate_ours(file: h5py.File, unfinished: bool) -> None:
    """Raise a `UserError` unless an open file is whole, by its own words, and of a format that is known.

    Args:
        unfinished: whether an unfinished file is welcome.
    """
    path = Path(file.filename)
    if not is_ours(file):
        raise UserError(f"data set: {path} must be a file that this package wrote; convert it first")
    version = read_attribute(file, "format_version")
    if not isinstance(version, np.integer) or not 1 <= version <= VERSION:
        raise UserError(
            f"data set: {path} has format version {version}; this pyimagesearch "
            f"{pyimagesearch.__version__} reads versions up to {VERSION}; install a newer one"
        )
    if unfinished:
        return
    if read_number(file, "complete") != 1:
        raise UserError(f"data set: {path} is incomplete: its writer was stopped; build it again")
    if metadata_checksum(file) != read_number(file, "checksum"):
        raise damaged(path, "attributes or names of classes are not what was written")


def metadata_checksum(file: h5py.File) -> np.uint32:
    """Return the CRC-32 of what a file says of itself: attributes of the root by name, names of the classes.

    Raises:
        UserError: an attribute is of a kind that this package never writes.
    """
    crc = 0
    with damage_reported(file.filename):
        names = set(file.attrs) - {"checksum", "complete"}
    if not all(isinstance(name, str) for name in names):  # h5py returns bytes that are no UTF-8 as they are
        raise damaged(file.filename, "an attribute has a name that is no text")
    for name in sorted(names):
        value = read_attribute(file, name)
        if not isinstance(value, str | np.ndarray | np.generic) or (
            not isinstance(value, str) and value.dtype.kind not in "iub"
        ):
            raise damaged(file.filename, f"the attribute {name} is neither text nor a whole number")
        data = utf8(value) if isinstance(value, str) else np.asarray(value).astype("<i8").tobytes()
        crc = zlib.crc32(utf8(name) + b"\0" + data + b"\0", crc)
    for name in read_strings(file, "label_names"):
        crc = zlib.crc32(utf8(name) + b"\0", crc)
    return np.uint32(crc)


def _class_indexes(labels: np.ndarray, path: Path) -> np.ndarray:
    """Return labels as int64 ndarray of shape (n,).

    Raises:
        UserError: they are no whole numbers from 0 on, below 2**20.
    """
    if labels.dtype.kind not in "iuf":
        raise UserError(
            f"data set: the labels of {path} must be whole numbers from 0 on; received dtype {labels.dtype}; "
            "store class numbers, and names in label_names"
        )
    with np.errstate(invalid="ignore"):
        classes = labels.astype(np.int64)
    wrong = np.flatnonzero((classes != labels) | (classes < 0) | (classes >= _MOST_CLASSES))
    if len(wrong):
        raise UserError(
            f"data set: the labels of {path} must be whole numbers from 0 on; received dtype {labels.dtype}, row "
            f"{wrong[0]} has {labels[wrong[0]]}; store class numbers below {_MOST_CLASSES:,}, and names in label_names"
        )
    return classes
