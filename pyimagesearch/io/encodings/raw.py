"""Raw rows: consecutive in one contiguous dataset, and read as views into a memory map."""

import errno
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import EncodedRow, RowReader, RowWriter, channel_sums
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.format.layout import allocate
from pyimagesearch.io.format.untrusted import damage_reported


class RawWriter(RowWriter):
    """Writes rows as they are.

    Args:
        key: name of their dataset.
        dims: shape of all rows.
        dtype: dtype of a row.
        with_sums: whether the sums of channels are kept.
    """

    def __init__(self, key: str, dims: tuple[int, ...], dtype: np.dtype, with_sums: bool) -> None:
        self._key, self._dims, self._dtype, self._with_sums = key, dims, dtype, with_sums
        self._row_bytes = int(np.prod(dims[1:])) * dtype.itemsize
        self._offset = 0

    def allocate(self, file: h5py.File) -> None:
        self._offset = allocate(file, self._key, self._dims, self._dtype)
        self.places = [(self._offset, self._offset + self._dims[0] * self._row_bytes)]

    def reserve(self, file: BinaryIO, path: Path) -> None:
        if not hasattr(os, "posix_fallocate"):
            return
        size = self._dims[0] * self._row_bytes
        try:
            os.posix_fallocate(file.fileno(), self._offset, size)  # rows are then written in two thirds of the time
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                return  # a file system that cannot
            raise UserError(
                f"dims: {self._dims[0]:,} rows need {size / 1e6:,.1f} MB on disk, which {path} cannot have "
                f"({error.strerror}); make room, choose another folder, or store JPEG"
            ) from error

    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        sums = channel_sums(row) if self._with_sums else ()
        data = np.ascontiguousarray(row, self._dtype).data.cast("B")
        return EncodedRow(data, zlib.crc32(data), sums)

    def start(self, file: BinaryIO, rows: int) -> None:
        file.seek(self._offset + rows * self._row_bytes)

    def stored(self, file: BinaryIO) -> Iterator[bytes]:
        self.start(file, 0)
        for _ in range(self._dims[0]):
            yield file.read(self._row_bytes)


class RawReader(RowReader):
    """Views of uncompressed rows in the file's memory map.

    Args:
        header: the header of the file.
        offsets: where the first of consecutive rows begins in the file, or where each row begins.
    """

    def __init__(self, header: Header, offsets: np.ndarray | int) -> None:
        self._offsets = None if isinstance(offsets, int) else offsets
        with damage_reported(header.path):
            if isinstance(offsets, int):
                mapped = np.memmap(header.path, header.dtype, "r", offsets, header.shape)
            else:
                mapped = np.memmap(header.path, np.uint8, "r")
        self._map = mapped.view(np.ndarray)
        self._shape, self._dtype = header.shape[1:], header.dtype
        self._row_bytes = int(np.prod(self._shape)) * self._dtype.itemsize

    def row(self, index: int) -> np.ndarray:
        return self._map[index] if self._offsets is None else self.read([index])[0]

    def read(self, indexes: Sequence[int]) -> list[np.ndarray]:
        rows, offsets = self._map, self._offsets
        if offsets is None:
            return [rows[i] for i in indexes]
        starts = offsets[list(indexes)].tolist()
        return [rows[s : s + self._row_bytes].view(self._dtype).reshape(self._shape) for s in starts]

    def close(self) -> None:
        """Unmap the file, once no view of it is left."""
        self._map = np.empty((0, *self._map.shape[1:]), self._map.dtype)


def row_offsets(dataset: h5py.Dataset) -> np.ndarray | int | None:
    """Return where rows begin in the file: the first of consecutive ones, or each; None if they cannot be mapped."""
    mappable = dataset.dtype.kind in "iuf" and dataset.dtype.isnative
    if not mappable or dataset.external or dataset.is_virtual:
        return None
    if dataset.chunks is None:
        return dataset.id.get_offset()
    properties = dataset.id.get_create_plist()
    if properties.get_nfilters() or dataset.chunks[1:] != dataset.shape[1:]:
        return None
    row_bytes = dataset.nbytes // len(dataset)
    starts = np.full(-(-len(dataset) // dataset.chunks[0]), -1, np.int64)

    def note(chunk: h5py.h5d.StoreInfo) -> None:
        starts[chunk.chunk_offset[0] // dataset.chunks[0]] = chunk.byte_offset

    dataset.id.chunk_iter(note)
    if starts.min() < 0:  # chunks that were never written
        return None
    rows = np.arange(len(dataset))
    return starts[rows // dataset.chunks[0]] + rows % dataset.chunks[0] * row_bytes
