"""The rows of a data set by number: memory-mapped where the file allows it, through h5py elsewhere."""

import threading
from collections.abc import Sequence
from typing import Protocol

import h5py
import numpy as np

from pyimagesearch.io.fileformat import Header, open_file


class Rows(Protocol):
    """Reads rows by number, from any thread."""

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return the rows at ``numbers``, in that order; read-only where they are views."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_rows(header: Header) -> Rows:
    """Return the fastest reader that the file of ``header`` allows."""
    file = open_file(header.path)
    dataset = file[header.key]
    offset = dataset.id.get_offset()
    plain = dataset.chunks is None and not dataset.external and not dataset.is_virtual
    if plain and offset is not None and dataset.dtype.kind in "iuf":
        file.close()
        return MappedRows(header, offset)
    return IndexedRows(file, dataset)


class MappedRows:
    """Rows of a contiguous dataset, as views into the file's memory map."""

    def __init__(self, header: Header, offset: int) -> None:
        mapped = np.memmap(header.path, header.dtype, "r", offset, header.shape)
        self._rows = mapped.view(np.ndarray)

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return views of the rows at ``numbers``."""
        rows = self._rows
        return [rows[i] for i in numbers]

    def close(self) -> None:
        """Unmap the file, once no view of it is left."""
        self._rows = self._rows[:0].copy()


class IndexedRows:
    """Rows of any other HDF5 dataset, read one by one: h5py is slow with lists of rows."""

    def __init__(self, file: h5py.File, dataset: h5py.Dataset) -> None:
        self._file, self._dataset = file, dataset
        self._lock = threading.Lock()

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return copies of the rows at ``numbers``."""
        shape, dtype = self._dataset.shape[1:], self._dataset.dtype
        rows = np.empty((len(numbers), *shape), dtype)
        with self._lock:
            for place, number in enumerate(numbers):
                self._dataset.read_direct(rows, np.s_[int(number)], np.s_[place])
        return list(rows)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
