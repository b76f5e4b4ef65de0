"""Read rows by index, the fastest way that a file allows."""

import contextlib
import threading
from collections.abc import Sequence

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.jpeg import JpegReader
from pyimagesearch.io.encodings.raw import RawReader, row_offsets
from pyimagesearch.io.encodings.row import RowReader
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
    file = open_file(header.path)
    if header.encoding == "jpeg":
        with file:
            return JpegReader(header, file)
    dataset = open_dataset(file, header.key)
    if dataset is None or dataset.shape != header.shape or dataset.dtype != header.dtype:
        raise damaged(header.path, f"{header.key} has changed since its header was read")
    with damage_reported(header.path):
        offsets = row_offsets(dataset)
    if offsets is None:
        return H5pyReader(file, dataset)
    file.close()
    return RawReader(header, offsets)


class H5pyReader(RowReader):
    """Reads rows of any other HDF5 dataset one by one: h5py is slow with lists of rows."""

    def __init__(self, file: h5py.File, dataset: h5py.Dataset) -> None:
        self._file, self._dataset = file, dataset
        self._lock = threading.Lock()

    def row(self, index: int) -> np.ndarray:
        """Return a copy of one row; otherwise as `read`."""
        return self.read([index])[0]

    def read(self, indexes: Sequence[int]) -> list[np.ndarray]:
        """Return copies of rows, in the machine's own byte order.

        Raises:
            UserError: they cannot be read, because the file is damaged.
        """
        shape, dtype = self._dataset.shape[1:], self._dataset.dtype.newbyteorder("=")
        rows = np.empty((len(indexes), *shape), dtype)
        with self._lock, damage_reported(self._file.filename):
            for place, index in enumerate(indexes):
                self._dataset.read_direct(rows, np.s_[int(index)], np.s_[place])
        return list(rows)

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
