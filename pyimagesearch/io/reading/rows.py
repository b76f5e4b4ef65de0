"""Read rows by index, the fastest way that a file allows."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.jpeg import JpegReader
from pyimagesearch.io.encodings.raw import RawReader, row_offsets
from pyimagesearch.io.encodings.row import RowReader
from pyimagesearch.io.foreign.axes import Axes
from pyimagesearch.io.foreign.blocks import ArrayRows
from pyimagesearch.io.foreign.opening import find_dataset, open_foreign
from pyimagesearch.io.foreign.pixels import ValueMap, ValueRule
from pyimagesearch.io.foreign.rows import PlannedRows, count_unwritten_tail, unwritten
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.untrusted import damage_reported, damaged, open_dataset

_OTHER_FILES, _UNLIMITED = 64, 10240


def open_rows(header: Header) -> RowReader:
    """Return the fastest reader that the files of a data set allow.

    Raises:
        UserError: a file is damaged, or this process may not have so many files open.
    """
    if header.shards:
        return ShardedReader(header)
    if header.plan:
        return _open_planned(header)
    file = open_file(header.path)
    if header.encoding == "jpeg":
        with file:
            return JpegReader(header, file)
    dataset = open_dataset(file, header.key)
    if dataset is None or dataset.shape != header.shape or dataset.dtype != header.dtype:
        raise damaged(header.path, f"{header.key} has changed since its header was read")
    with damage_reported(header.path):
        offsets = row_offsets(dataset)
        if offsets is None:  # another program copied the file, and compressed it
            rows = ArrayRows(dataset, Axes("nhwc" if dataset.ndim == 4 else "nd"), len(dataset))
            return BlockReader(file, rows, header.path)
    file.close()
    return RawReader(header, offsets)


def _open_planned(header: Header) -> RowReader:
    plan = header.plan
    assert plan
    if plan.axes and plan.axes.is_plain:
        with open_foreign(plan.file) as file, damage_reported(header.path):
            offsets = row_offsets(find_dataset(file, plan.images))
        if offsets is not None:
            stored = RawReader(replace(header, dtype=plan.dtype), offsets)
            return stored if plan.row_dtype == plan.dtype or not plan.rule else ScalingReader(stored, plan.rule)
    rows = PlannedRows(plan)
    return BlockReader(rows, rows, header.path)


def warnings_of(header: Header, shuffled: bool) -> list[str]:
    """Return what a user should know before rows are read, as sentences: what is assumed, and what is slow."""
    if not header.plan:
        return []
    found = [header.plan.assumption]
    with PlannedRows(header.plan) as rows:
        if count := count_unwritten_tail(rows.stored, header.labels):
            found.append(f"{header.path}: {unwritten(count, header.shape[0])}")
        if shuffled and (slow := rows.slow_when_shuffled()):
            found.append(f"{header.path}: {slow}; convert it to a fast file")
    return [each for each in found if each]


class ScalingReader(RowReader):
    """Turns rows of another reader into pixels."""

    def __init__(self, rows: RowReader, rule: ValueRule) -> None:
        self._rows, self._values = rows, ValueMap(rule)

    def row(self, index: int) -> np.ndarray:
        """Return one row.

        Raises:
            UserError: a value breaks the rule.
        """
        return self._values.apply(self._rows.row(index)[np.newaxis], [index])[0]

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()


class BlockReader(RowReader):
    """Reads rows by whole chunks, which it keeps for the next ones.

    Args:
        file: what is to be closed at the end.
        rows: the rows of the file.
        path: its path.
    """

    def __init__(self, file: h5py.File | PlannedRows, rows: ArrayRows | PlannedRows, path: Path) -> None:
        self._file, self._rows, self._path = file, rows, path

    def row(self, index: int) -> np.ndarray:
        """Return a copy of one row; otherwise as `read`."""
        return self.read([index])[0]

    def read(self, indexes: Sequence[int]) -> list[np.ndarray]:
        """Return copies of rows, in the machine's own byte order.

        Raises:
            UserError: they cannot be read, because the file is damaged.
        """
        with damage_reported(self._path):
            block = self._rows.read(indexes)
        return list(block if block.dtype.isnative else block.astype(block.dtype.newbyteorder("=")))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ShardedReader(RowReader):
    """Reads rows of shards by their index in the whole data set.

    Args:
        header: the header of the whole data set.

    Raises:
        UserError: a shard cannot be opened, or this process may not have so many files open.
    """

    def __init__(self, header: Header) -> None:
        _allow_open_files(len(header.shards))
        self._shards = [open_rows(shard) for shard in header.shards]
        self._readers = [shard.row for shard in self._shards]
        self._locate = header.locate

    def row(self, index: int) -> np.ndarray:
        """Return one row; read-only where it is a view."""
        shard, index = self._locate(index)
        return self._readers[shard](index)

    def close(self) -> None:
        """Let go of all files."""
        self._readers = []
        for shard in self._shards:
            shard.close()


def _allow_open_files(count: int) -> None:
    """Let this process have so many more files open: Python keeps the file of every memory map open."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _UNLIMITED if hard == resource.RLIM_INFINITY else hard
        if count + _OTHER_FILES > most:
            raise UserError(
                f"data set: {count:,} shards must be open at once, and this process may open {most:,} files; raise the "
                "limit (ulimit -n), or convert the data set to fewer shards"
            )
        if soft != resource.RLIM_INFINITY and count > soft // 8:  # several data sets are open at once
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
