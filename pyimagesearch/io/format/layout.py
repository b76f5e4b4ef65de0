"""The HDF5 file format, version 1.

A data set is one file, or looks like one. Any HDF5 tool reads it; these names have a meaning:

================ ========================================================================
``images``       (n, h, w, channels) uint8, contiguous and unfiltered: row i can be memory-mapped
                 at ``dataset.id.get_offset() + i * h * w * channels``; uint16 or float32 where such
                 images of another program were kept
``jpeg``         (bytes,) uint8, instead of ``images``: consecutive JPEG images; row i lies at
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

Attributes of the root: ``format`` is "pyimagesearch" and ``format_version`` 1; ``complete`` is 1 once
every row is on disk (older files have the boolean True); ``checksum`` is the CRC-32 of all
other attributes but ``complete``, and of ``label_names`` (`header.metadata_checksum` gives the order);
``encoding`` is "raw" or "jpeg", the latter with ``image_shape`` (h, w, channels) and ``quality``;
``color_order`` is "BGR" or "RGB" for images; ``history`` is free text on how the rows were made;
``libraries`` gives the versions that made the file; ``build`` is the same text in files that were made
together; ``recipe`` is JSON with which such features of other images can be made; ``shard`` and ``shards``
stand in one file of several: its index, from 0, and their count.

Several files, or shards, are united by one that has no ``shard``. Its datasets are virtual ones over those of the
shards, by their names in the same folder; ``jpeg_ends`` and ``label_names`` are its own, and so is ``shards`` (k,),
a table in the order of the rows: ``file``, ``rows``, ``checksum`` (the shard's attribute) and ``rows_checksum``
(CRC-32 of its ``checksums`` as little-endian bytes). ``shards_checksum`` is the CRC-32 of the table's bytes.

Files of other makers are read by what is in them: see `pyimagesearch.io.foreign`.
"""

from typing import Any

import h5py
import numpy as np

FORMAT, VERSION = "pyimagesearch", 1

KEYS = ("images", "features", "feature")
"""Datasets of rows, but for JPEG images."""

COLUMNS = (*KEYS, "jpeg", "labels", "paths", "checksums", "channel_sums")
"""Datasets that a uniting file maps to those of its shards."""

DATASETS = (*COLUMNS, "jpeg_ends", "label_names", "shards")
"""All datasets that are ever read: the sandbox opens them first, and `untrusted.open_dataset` opens no others."""

ALIGNED = {"alignment_threshold": 2**20, "alignment_interval": 2**20}
"""How files are opened for their last dataset, so that large ones lie on whole MiB."""


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
