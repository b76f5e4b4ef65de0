"""Read rows by number, the fastest way that a file allows."""

import contextlib
import threading
from bisect import bisect_right
from collections.abc import Sequence

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.jpeg import JpegRows
from pyimagesearch.io.encodings.raw import MappedRows, _offsets
from pyimagesearch.io.encodings.row import Rows
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.untrusted import damage_reported


def open_rows(header: Header) -> Rows:
    """Return the fastest reader that the file of ``header`` allows."""
    with damage_reported(header.path):
        return _open_rows(header)


def _open_rows(header: Header) -> Rows:
    if header.shards:
        return ShardedRows(header)
    file = open_file(header.path)
    if header.encoding == "jpeg":
        with file:
            return JpegRows(header, file)
    dataset = file[header.key]
    offsets = _offsets(dataset)
    if offsets is None:
        return IndexedRows(file, dataset)
    file.close()
    return MappedRows(header, offsets)


class IndexedRows:
    """Rows of any other HDF5 dataset, read one by one: h5py is slow with lists of rows."""

    def __init__(self, file: h5py.File, dataset: h5py.Dataset) -> None:
        self._file, self._dataset = file, dataset
        self._lock = threading.Lock()

    def row(self, number: int) -> np.ndarray:
        """Return a copy of one row; otherwise as `read`."""
        return self.read([number])[0]

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return copies of the rows at ``numbers``, in the machine's own byte order.

        Raises:
            UserError: they cannot be read, because the file is damaged.
        """
        shape, dtype = self._dataset.shape[1:], self._dataset.dtype.newbyteorder("=")
        rows = np.empty((len(numbers), *shape), dtype)
        with self._lock, damage_reported(self._file.filename):
            for place, number in enumerate(numbers):
                self._dataset.read_direct(rows, np.s_[int(number)], np.s_[place])
        return list(rows)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


_OTHER_FILES, _UNLIMITED = 64, 10240


class ShardedRows:
    """Rows of shards by their numbers in the whole data set.

    Args:
        header: the header of the whole data set.

    Raises:
        UserError: a shard cannot be opened, or this process may not have so many files open.
    """

    def __init__(self, header: Header) -> None:
        _allow_open_files(len(header.shards))
        self._shards = [open_rows(shard) for shard in header.shards]
        self._readers = [shard.row for shard in self._shards]
        self._starts = [0, *np.cumsum([shard.shape[0] for shard in header.shards])[:-1].tolist()]

    def row(self, number: int) -> np.ndarray:
        """Return one row."""
        shard = bisect_right(self._starts, number) - 1
        return self._readers[shard](number - self._starts[shard])

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return the rows at ``numbers``, in that order; read-only where they are views."""
        starts, readers = self._starts, self._readers
        shards = [bisect_right(starts, number) - 1 for number in numbers]
        return [readers[shard](number - starts[shard]) for shard, number in zip(shards, numbers, strict=True)]

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
                "limit (ulimit -n), or make fewer with python -m pyimagesearch.io --convert OUT --shards N"
            )
        if soft != resource.RLIM_INFINITY and count > soft // 8:  # several sets are open at once
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
