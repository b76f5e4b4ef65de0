"""How rows lie in a file that is being written: as raw numbers, or as JPEG images.

While rows arrive, the file's HDF5 structure is closed and at rest: bytes go straight to their places.
A process that is killed leaves a sound file that lacks rows, never a damaged one.
"""

import errno
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import cv2
import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.fileformat import allocate

_ALIGNMENT = 2**20
_HEADER_BYTES = 2**13
_COPIED_AT_ONCE = 64 * 2**20


class EncodedRow(NamedTuple):
    """A row as it will lie on disk.

    Attributes:
        data: its bytes.
        checksum: their CRC-32.
        sums: for images the sum of each channel over all pixels, before any compression.
    """

    data: bytes | memoryview
    checksum: int
    sums: tuple[float, ...]


def row_checksum(crc: int, label: int, path: bytes, sums: np.ndarray | None = None) -> int:
    """Extend the CRC-32 of a row's bytes by its label, its path and the sums of its channels, of dtype <u8."""
    crc = zlib.crc32(path, zlib.crc32(label.to_bytes(8, "little"), crc))
    return crc if sums is None else zlib.crc32(sums.data, crc)


def read_into(file: BinaryIO, values: np.ndarray) -> None:
    """Fill an array from a file; what the file lacks becomes 0."""
    data = file.read(values.nbytes)
    values.reshape(-1).view(np.uint8)[: len(data)] = np.frombuffer(data, np.uint8)


class RowStore(Protocol):
    """Lays rows out in a file."""

    def allocate(self, file: h5py.File) -> None:
        """Make the datasets whose size is known beforehand."""
        ...

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where the rows, and what helps to find them, begin and end in the file."""
        ...

    @property
    def rows_at(self) -> int:
        """Where the first row begins in the file."""
        ...

    def reserve(self, file: BinaryIO, path: Path) -> None:
        """Take the rows' room in the file of that path, as far as it is known.

        Raises:
            UserError: there is not so much.
        """
        ...

    def load(self, file: BinaryIO) -> None:
        """Read what an earlier run flushed."""
        ...

    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        """Return the row as it will lie on disk; safe to call from any thread."""
        ...

    def start(self, file: BinaryIO, rows: int) -> None:
        """Go to where the row behind the first ``rows`` belongs."""
        ...

    def append(self, file: BinaryIO, rows: Sequence[EncodedRow]) -> int:
        """Write the next rows; return how many bytes that was."""
        ...

    def flush(self, file: BinaryIO, first: int, last: int) -> None:
        """Write what is needed to find rows ``first`` to ``last`` again, the latter not included."""
        ...

    def stored(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield what lies at the rows' places, as far as it can tell where they are."""
        ...

    def finish(self, file: h5py.File) -> None:
        """Make the datasets whose size is known only at the end."""
        ...


def channel_sums(row: np.ndarray) -> tuple[float, ...]:
    """Return the sum of each channel of an image of 8-bit pixels, exactly."""
    if row.ndim == 3 and row.shape[2] <= 4:
        return cv2.sumElems(row)[: row.shape[2]]  # type: ignore[return-value]
    return tuple(row.sum(axis=(0, 1), dtype=np.float64))


class RawStore:
    """Rows one behind the other in a contiguous dataset."""

    def __init__(self, key: str, dims: tuple[int, ...], dtype: np.dtype, with_sums: bool) -> None:
        self._key, self._dims, self._dtype, self._with_sums = key, dims, dtype, with_sums
        self._row_bytes = int(np.prod(dims[1:])) * dtype.itemsize
        self._offset = 0

    def allocate(self, file: h5py.File) -> None:
        self._offset = allocate(file, self._key, self._dims, self._dtype)

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(self._offset, self._offset + self._dims[0] * self._row_bytes)]

    @property
    def rows_at(self) -> int:
        return self._offset

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

    def load(self, file: BinaryIO) -> None:
        del file  # the rows say themselves, by their checksums, which are there

    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        sums = channel_sums(row) if self._with_sums else ()
        data = np.ascontiguousarray(row, self._dtype).data.cast("B")
        return EncodedRow(data, zlib.crc32(data), sums)

    def start(self, file: BinaryIO, rows: int) -> None:
        file.seek(self._offset + rows * self._row_bytes)

    def append(self, file: BinaryIO, rows: Sequence[EncodedRow]) -> int:
        return sum(file.write(row.data) for row in rows)

    def flush(self, file: BinaryIO, first: int, last: int) -> None:
        file.flush()

    def stored(self, file: BinaryIO) -> Iterator[bytes]:
        self.start(file, 0)
        for _ in range(self._dims[0]):
            yield file.read(self._row_bytes)

    def finish(self, file: h5py.File) -> None:
        del file  # everything is in its place


class JpegStore:
    """JPEG images one behind the other in a dataset of bytes, and where each of them ends.

    How many bytes there will be is known only at the end. They are written behind everything else in
    the file, at an aligned place; the dataset made at the end then comes to lie just there.
    """

    def __init__(self, dims: tuple[int, ...], quality: int) -> None:
        if dims[3] not in (1, 3):
            raise UserError(f'encoding: "jpeg" holds images of 1 or 3 channels; received {dims[3]}; use "raw"')
        self._rows, self._shape, self._quality = dims[0], dims[1:], quality
        self._ends = np.zeros(dims[0], np.uint64)
        self._ends_offset = self._place = self._count = self._position = 0

    def allocate(self, file: h5py.File) -> None:
        file.attrs["image_shape"] = self._shape
        file.attrs["quality"] = self._quality
        self._ends_offset = allocate(file, "jpeg_ends", (self._rows,), np.uint64)
        self._set_place(file)

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(self._ends_offset, self._ends_offset + self._ends.nbytes)]

    @property
    def rows_at(self) -> int:
        return self._place

    def reserve(self, file: BinaryIO, path: Path) -> None:
        del file, path  # who knows how much it will be

    def load(self, file: BinaryIO) -> None:
        file.seek(self._ends_offset)
        read_into(file, self._ends)

    def _set_place(self, file: h5py.File) -> None:
        file.flush()
        end = file["jpeg_ends"].id.get_offset() + file["jpeg_ends"].nbytes
        self._place = -(-(end + _HEADER_BYTES) // _ALIGNMENT) * _ALIGNMENT

    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        data = original
        if data is None:
            done, encoded = cv2.imencode(".jpg", row, (cv2.IMWRITE_JPEG_QUALITY, self._quality))
            if not done:
                raise UserError(f"rows: OpenCV could not encode an image of shape {row.shape} as JPEG")
            data = encoded.tobytes()
        return EncodedRow(data, zlib.crc32(data), channel_sums(row))

    def start(self, file: BinaryIO, rows: int) -> None:
        self._count = rows
        self._position = int(self._ends[rows - 1]) if rows else 0
        file.seek(self._place + self._position)

    def append(self, file: BinaryIO, rows: Sequence[EncodedRow]) -> int:
        begin = self._position
        for row in rows:
            self._position += file.write(row.data)
            self._ends[self._count] = self._position
            self._count += 1
        return self._position - begin

    def flush(self, file: BinaryIO, first: int, last: int) -> None:
        file.seek(self._ends_offset + first * self._ends.itemsize)
        file.write(self._ends[first:last].data)
        file.flush()

    def stored(self, file: BinaryIO) -> Iterator[bytes]:
        file.seek(self._place)
        begin = 0
        for end in self._ends.tolist():
            yield file.read(max(0, end - begin)) if end - begin < 2**31 else b""
            begin = end

    def finish(self, file: h5py.File) -> None:
        offset = allocate(file, "jpeg", (self._position,), np.uint8)
        if offset != self._place:  # less than 1 MiB of images, to which HDF5 gives a place of its choice
            self._move(file, offset)

    def _move(self, file: h5py.File, offset: int) -> None:
        with open(file.filename, "rb") as written:
            for begin in range(0, self._position, _COPIED_AT_ONCE):
                written.seek(self._place + begin)
                part = written.read(min(_COPIED_AT_ONCE, self._position - begin))
                file["jpeg"][begin : begin + len(part)] = np.frombuffer(part, np.uint8)
