"""The table of shards in the small file that unites them."""

import os
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import h5py
import numpy as np

from pyimagesearch.io.format.untrusted import open_dataset

NAME = "shards"


_MOST_SHARDS = 100_000


class Shard(NamedTuple):
    """One row of the table.

    Attributes:
        file: name of the shard's file, which lies in the folder of the uniting one.
        rows: its rows.
        checksum: its attribute ``checksum``.
        rows_checksum: CRC-32 of its dataset ``checksums``, as little-endian bytes.
    """

    file: str
    rows: int
    checksum: int
    rows_checksum: int


def is_united(file: h5py.File) -> bool:
    """Return whether a file of this package unites shards; a shard itself has the attribute ``shard`` too."""
    return NAME in file.attrs and "shard" not in file.attrs


def identity(file: h5py.File) -> tuple[int, int]:
    """Return the two checksums by which a shard is known again, as `Shard` has them."""
    checksums = open_dataset(file, "checksums")
    if checksums is None:
        raise ValueError("it has no checksums")
    return int(file.attrs["checksum"]), zlib.crc32(checksums[:].astype("<u4").tobytes())


def write_table(file: h5py.File, shards: Sequence[Shard]) -> None:
    """Store the table, and its checksum where `fileformat.metadata_checksum` covers it."""
    names = [shard.file.encode() for shard in shards]
    text = h5py.string_dtype("utf-8", max(map(len, names)))
    columns = [("file", text), ("rows", "<i8"), ("checksum", "<u4"), ("rows_checksum", "<u4")]
    table = np.array([(name, *shard[1:]) for name, shard in zip(names, shards, strict=True)], columns)
    file.create_dataset(NAME, data=table)
    file.attrs[NAME] = len(shards)
    file.attrs["shards_checksum"] = zlib.crc32(table.tobytes())


def read_table(file: h5py.File) -> list[Shard]:
    """Return the shards in the order of their rows.

    Raises:
        ValueError: the table is not what was written, or names files of other folders.
        UserError: it is no part of this file.
    """
    dataset = open_dataset(file, NAME)
    if dataset is None or dataset.dtype.names != Shard._fields or not 0 < dataset.size <= _MOST_SHARDS:
        raise ValueError("its table of shards is not what was written")
    table = dataset[:]
    if file.attrs[NAME] != len(table) or file.attrs["shards_checksum"] != zlib.crc32(table.tobytes()):
        raise ValueError("its table of shards is not what was written")
    shards = [Shard(name.decode(), int(rows), int(own), int(crc)) for name, rows, own, crc in table.tolist()]
    for shard in shards:
        if os.path.basename(shard.file) != shard.file or shard.file in ("", ".", ".."):
            raise ValueError(f"its table names the shard {shard.file}, outside its own folder")
    return shards
