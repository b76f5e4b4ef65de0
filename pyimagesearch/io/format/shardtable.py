"""The table of shards in the small file that unites them."""

import os
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import h5py
import numpy as np

from pyimagesearch.io.format.untrusted import damaged, read_attribute, read_dataset, read_number

NAME = "shards"
_MOST_SHARDS = 100_000


@dataclass(frozen=True)
class ShardEntry:
    """One row of the table.

    Attributes:
        file: name of the shard's file, which lies in the folder of the uniting one.
        rows: number of its rows.
        checksum: its attribute ``checksum``.
        rows_checksum: CRC-32 of its dataset ``checksums``, as little-endian bytes.
    """

    file: str
    rows: int
    checksum: int
    rows_checksum: int


def is_united(file: h5py.File) -> bool:
    """Return whether a file of this package unites shards; a shard itself has the attribute ``shard`` too."""
    return read_attribute(file, NAME) is not None and read_attribute(file, "shard") is None


def identity(file: h5py.File) -> tuple[int, int]:
    """Return the two checksums that identify a shard, as `ShardEntry` has them."""
    own, checksums = read_number(file, "checksum"), read_dataset(file, "checksums")
    if own is None or checksums is None or checksums.dtype.kind not in "iu":
        raise damaged(file.filename, "it has no checksums")
    return own, zlib.crc32(checksums.astype("<u4").tobytes())


def write_table(file: h5py.File, shards: Sequence[ShardEntry]) -> None:
    """Store the table, and its checksum where `header.metadata_checksum` covers it."""
    names = [shard.file.encode() for shard in shards]
    text = h5py.string_dtype("utf-8", max(map(len, names)))
    columns = [("file", text), ("rows", "<i8"), ("checksum", "<u4"), ("rows_checksum", "<u4")]
    table = np.array([(name, *astuple(shard)[1:]) for name, shard in zip(names, shards, strict=True)], columns)
    file.create_dataset(NAME, data=table)
    file.attrs[NAME] = len(shards)
    file.attrs["shards_checksum"] = zlib.crc32(table.tobytes())


def read_table(file: h5py.File) -> list[ShardEntry]:
    """Return the shards in the order of their rows.

    Raises:
        UserError: the table is not what was written, or names files of other folders.
    """
    table = read_dataset(file, NAME)
    names = tuple(field.name for field in fields(ShardEntry))
    if (
        table is None
        or table.dtype.names != names
        or not 0 < table.size <= _MOST_SHARDS
        or read_number(file, NAME) != table.size
        or read_number(file, "shards_checksum") != zlib.crc32(table.tobytes())
    ):
        raise damaged(file.filename, "its table of shards is not what was written")
    try:
        shards = [ShardEntry(name.decode(), int(rows), int(own), int(crc)) for name, rows, own, crc in table.tolist()]
    except (AttributeError, TypeError, ValueError) as error:  # columns of other types
        raise damaged(file.filename, "its table of shards is not what was written") from error
    for shard in shards:
        if os.path.basename(shard.file) != shard.file or shard.file in ("", ".", ".."):
            raise damaged(file.filename, f"its table names the shard {shard.file}, outside its own folder")
    return shards
