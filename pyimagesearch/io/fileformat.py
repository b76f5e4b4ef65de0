"""The HDF5 file format, version 1.

A data set is one file, or looks like one. Any HDF5 tool reads it; these names have a meaning:

================ ========================================================================
``images``       (n, h, w, channels) uint8, contiguous and unfiltered: row i can be memory-mapped
                 at ``dataset.id.get_offset() + i * h * w * channels``
``jpeg``         (bytes,) uint8, instead of ``images``: JPEG images one behind the other; row i lies at
                 ``jpeg[jpeg_ends[i - 1]:jpeg_ends[i]]``, row 0 at ``jpeg[:jpeg_ends[0]]``
``jpeg_ends``    (n,) uint64
``features``     (n, d) float32, instead of ``images`` (``feature`` is read too: the book wrote it)
``labels``       (n,) int64: the class of each row
``label_names``  (k,) UTF-8: the names of classes 0 to k - 1
``paths``        (n,) UTF-8, optional: the file that each row was made from, relative to its folder
``checksums``    (n,) uint32: CRC-32 of the row's bytes, then its label as 8 little-endian bytes, then
                 its path as UTF-8, then its ``channel_sums`` as 8 little-endian bytes each
``channel_sums`` (n, channels) uint64, for 8-bit images: the sum of each channel over the row's
                 pixels, before any compression
================ ========================================================================

Attributes of the root: ``format`` is "pyimagesearch" and ``format_version`` 1; ``complete`` is True
once every row is on disk; ``checksum`` is the CRC-32 of all other attributes but ``complete``, and of
``label_names`` (`metadata_checksum` says in what order); ``encoding`` is "raw" or "jpeg", the latter
with ``image_shape`` (h, w, channels) and ``quality``; ``color_order`` is "BGR" or "RGB" for images;
``history`` is free text of how the rows were made; ``libraries`` names the versions that made the file;
``build`` is the same text for files that were made together; ``recipe`` is JSON that says how to make
such features of other images; ``shard`` and ``shards`` are there in one file of several: its number, from 0, and
how many there are.

Several files, or shards, are united by one that has no ``shard``. Its datasets are virtual ones over those of the
shards, by their names in the same folder; ``jpeg_ends`` and ``label_names`` are its own, and so is ``shards`` (k,),
a table in the order of the rows: ``file``, ``rows``, ``checksum`` (the shard's attribute) and ``rows_checksum``
(CRC-32 of its ``checksums`` as little-endian bytes). ``shards_checksum`` is the CRC-32 of the table's bytes.

Files of other makers are read as well if they hold rows and labels under these names.
"""

import json
import os
import platform
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

import pyimagesearch
from pyimagesearch.errors import UserError
from pyimagesearch.io.classnumbers import read_class_numbers
from pyimagesearch.io.shards.table import is_united
from pyimagesearch.io.untrusted import damage_reported, open_dataset, read_text
from pyimagesearch.io.vetting import vet

FORMAT, VERSION = "pyimagesearch", 1
KEYS = ("images", "features", "feature")
_LARGEST_SIDE = 65500
ALIGNED = {"alignment_threshold": 2**20, "alignment_interval": 2**20}
"""How files are opened for their last dataset, so that large ones lie on whole MiB."""


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


def library_versions() -> str:
    """Return the versions that can change a row's bytes, as JSON."""
    import cv2

    versions = {
        "pyimagesearch": pyimagesearch.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
        "opencv": cv2.__version__,
    }
    return json.dumps(versions)


def allocate(file: h5py.File, name: str, shape: tuple[int, ...], dtype: Any) -> int:
    """Make a contiguous dataset whose place on disk is fixed, and return its offset in bytes."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.CONTIGUOUS)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    properties.set_obj_track_times(False)
    dataset = h5py.h5d.create(
        file.id, name.encode(), h5py.h5t.py_create(np.dtype(dtype)), h5py.h5s.create_simple(shape),
        dcpl=properties,
    )  # fmt: skip
    return dataset.get_offset()


def utf8(text: str) -> bytes:
    """Return text as UTF-8; a path that is no Unicode keeps its odd bytes as escapes."""
    return text.encode("utf-8", "backslashreplace")


def write_strings(file: h5py.File, name: str, strings: list[str]) -> None:
    """Store strings with a fixed length, so that equal strings make equal files."""
    encoded = [utf8(s) for s in strings]
    length = max(map(len, encoded), default=0) or 1
    file.create_dataset(name, data=np.array(encoded, h5py.string_dtype("utf-8", length)))


def metadata_checksum(file: h5py.File) -> np.uint32:
    """Return the CRC-32 of what a file says of itself: attributes of the root by name, names of the classes.

    Raises:
        ValueError: an attribute is of a kind that this package never writes.
    """
    crc = 0
    for name in sorted(set(file.attrs) - {"checksum", "complete"}):
        value = file.attrs[name]
        if not isinstance(value, str) and np.asarray(value).dtype.kind not in "iub":
            raise ValueError(f"the attribute {name} is neither text nor a whole number")
        data = utf8(value) if isinstance(value, str) else np.asarray(value).astype("<i8").tobytes()
        crc = zlib.crc32(utf8(name) + b"\0" + data + b"\0", crc)
    for name in read_strings(file, "label_names"):
        crc = zlib.crc32(utf8(name) + b"\0", crc)
    return np.uint32(crc)


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


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check what a file says of itself.

    Raises:
        UserError: the file is missing, not HDF5, unfinished, of a newer format, or holds no
            labelled rows.
    """
    with open_file(path) as file:
        return header_of(file)


def header_of(file: h5py.File, unfinished: bool = False) -> Header:
    """Read and check the header of an open file, as `read_header` does.

    Args:
        unfinished: whether an unfinished file is welcome.
    """
    path = Path(file.filename)
    with damage_reported(path):
        return _header_of(file, path, unfinished)


def _header_of(file: h5py.File, path: Path, unfinished: bool) -> Header:
    ours = read_text(file, "format") == FORMAT
    if ours:
        _check_ours(file, path, unfinished)
    elif "checksum" in file.attrs and "format_version" in file.attrs:
        raise ValueError("its attribute format is not what was written")
    if ours and is_united(file):
        from pyimagesearch.io.shards.unitedfile import (
            united_header,  # which reads the headers of the shards by this module
        )

        return united_header(file)
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


def read_strings(file: h5py.File, name: str) -> list[str]:
    """Return a dataset of strings, or an empty list where there is none."""
    strings = open_dataset(file, name)
    if strings is None:
        return []
    if strings.ndim != 1:
        raise ValueError(f"{name} must be a list of strings; it has shape {strings.shape}")
    return strings.asstr()[:].tolist()


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
