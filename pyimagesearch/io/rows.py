"""The rows of a data set by number, by the fastest way that its file allows.

Contiguous rows are views into a memory map. So are the rows of uncompressed chunks that hold whole
rows. JPEG images are decoded from the map. Everything else goes through h5py, which has one global lock.
"""

import threading
from collections.abc import Sequence
from typing import Protocol

import cv2
import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.fileformat import Header, open_file
from pyimagesearch.io.imageheader import jpeg_layout
from pyimagesearch.io.untrusted import damage_reported


class Rows(Protocol):
    """Reads rows by number, from any thread."""

    def row(self, number: int) -> np.ndarray:
        """Return one row; read-only where it is a view."""
        ...

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return the rows at ``numbers``, in that order; read-only where they are views."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_rows(header: Header) -> Rows:
    """Return the fastest reader that the file of ``header`` allows."""
    with damage_reported(header.path):
        return _open_rows(header)


def _open_rows(header: Header) -> Rows:
    if header.shards:
        from pyimagesearch.io.shards.shardedrows import ShardedRows

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


def _offsets(dataset: h5py.Dataset) -> np.ndarray | int | None:
    """Return where the rows lie in the file: the first one's place, each one's, or None if unknown."""
    numbers = dataset.dtype.kind in "iuf" and dataset.dtype.isnative
    if not numbers or dataset.external or dataset.is_virtual:
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


class MappedRows:
    """Uncompressed rows, as views into the file's memory map.

    Args:
        header: the file's header.
        offsets: place of the first of all rows, which lie one behind the other, or of each one.
    """

    def __init__(self, header: Header, offsets: np.ndarray | int) -> None:
        self._offsets: np.ndarray | None = None
        if isinstance(offsets, int):
            mapped = np.memmap(header.path, header.dtype, "r", offsets, header.shape)
        else:
            mapped = np.memmap(header.path, np.uint8, "r")
            self._offsets = offsets
        self._map = mapped.view(np.ndarray)
        self._shape, self._dtype = header.shape[1:], header.dtype
        self._row_bytes = int(np.prod(self._shape)) * self._dtype.itemsize

    def row(self, number: int) -> np.ndarray:
        """Return a view of one row."""
        return self._map[number] if self._offsets is None else self.read([number])[0]

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return views of the rows at ``numbers``."""
        rows, offsets = self._map, self._offsets
        if offsets is None:
            return [rows[i] for i in numbers]
        starts = offsets[list(numbers)].tolist()
        return [rows[s : s + self._row_bytes].view(self._dtype).reshape(self._shape) for s in starts]

    def span(self, start: int, stop: int) -> np.ndarray:
        """Return a view of the rows from ``start`` to ``stop``, for files of contiguous rows."""
        return self._map[start:stop]

    def close(self) -> None:
        """Unmap the file, once no view of it is left."""
        self._map = np.empty((0, *self._map.shape[1:]), self._map.dtype)


class JpegRows:
    """JPEG images, decoded on the thread that asks for them."""

    def __init__(self, header: Header, file: h5py.File) -> None:
        blob, ends = file["jpeg"], file["jpeg_ends"][:].astype(np.uint64)
        offset = blob.id.get_offset()
        starts = np.concatenate((np.zeros(1, np.uint64), ends[:-1]))
        if offset is None or (starts >= ends).any() or ends[-1] > blob.size:
            raise UserError(
                f"data set: {header.path} must say in jpeg_ends where each image ends, in order and "
                f"within its {blob.size:,} bytes; it does not; the file is damaged: build it again"
            )
        self._blob = np.memmap(header.path, np.uint8, "r", offset, blob.shape).view(np.ndarray)
        self._starts, self._ends = starts.astype(np.int64), ends.astype(np.int64)
        self._path, self._shape = header.path, header.shape[1:]
        self._flag = cv2.IMREAD_GRAYSCALE if self._shape[2] == 1 else cv2.IMREAD_COLOR

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return the decoded images at ``numbers``.

        Raises:
            UserError: the bytes of a row are no image of the promised shape.
        """
        return [self.row(i) for i in numbers]

    def row(self, number: int) -> np.ndarray:
        """Return one decoded image; otherwise as `read`."""
        data = self._blob[self._starts[number] : self._ends[number]]
        size = jpeg_layout(data.data)[1]  # looked at first: a bomb must not be decoded
        fits = size is not None and size[0] * size[1] == self._shape[0] * self._shape[1]
        image = cv2.imdecode(data, self._flag) if fits else None
        if image is not None and image.ndim == 2:
            image = image[:, :, None]
        if image is None or image.shape != self._shape:
            received = "no image" if size is None or fits else f"one of {size[1]}x{size[0]} pixels"
            raise UserError(
                f"data set: row {number} of {self._path} must be a JPEG image of shape {self._shape}; "
                f"received {received}; the file is damaged: check it with python -m pyimagesearch.io --verify, "
                "and build it again"
            )
        return image

    def close(self) -> None:
        """Unmap the file, once no view of it is left."""
        self._blob = np.empty(0, np.uint8)


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
