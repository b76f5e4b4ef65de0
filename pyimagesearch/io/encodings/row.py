"""Base of both encodings: a row as it lies on disk, and the methods of the writing and the reading half."""

import abc
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cv2
import h5py
import numpy as np


class EncodedRow(NamedTuple):
    """A row as it lies on disk.

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


def channel_sums(row: np.ndarray) -> tuple[float, ...]:
    """Return the sum of each channel of an image of 8-bit pixels, exactly."""
    if row.ndim == 3 and row.shape[2] <= 4:
        return cv2.sumElems(row)[: row.shape[2]]  # type: ignore[return-value]
    return tuple(row.sum(axis=(0, 1), dtype=np.float64))


def read_into(file: BinaryIO, values: np.ndarray) -> None:
    """Fill an array from a file; what the file lacks becomes 0."""
    data = file.read(values.nbytes)
    values.reshape(-1).view(np.uint8)[: len(data)] = np.frombuffer(data, np.uint8)


class RowWriter(abc.ABC):
    """The writing half of an encoding: lays rows out in a file."""

    places: list[tuple[int, int]]
    """Where the rows, and what helps to find them, begin and end in the file."""

    @abc.abstractmethod
    def allocate(self, file: h5py.File) -> None:
        """Make the datasets whose size is known beforehand; set `places`."""

    def reserve(self, file: BinaryIO, path: Path) -> None:
        """Take the rows' room in the file of that path, as far as it is known.

        Raises:
            UserError: there is not so much.
        """

    def load(self, file: BinaryIO) -> None:
        """Read what an earlier run flushed."""

    @abc.abstractmethod
    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        """Return the row as it will lie on disk; safe to call from any thread."""

    @abc.abstractmethod
    def start(self, file: BinaryIO, rows: int) -> None:
        """Seek the place of the row after the first ``rows``."""

    def append(self, file: BinaryIO, rows: Sequence[EncodedRow]) -> int:
        """Write the next rows; return how many bytes that was."""
        return sum(file.write(row.data) for row in rows)

    def flush(self, file: BinaryIO, first: int, last: int) -> None:
        """Write what is needed to find rows ``first`` to ``last`` again, the latter not included."""
        file.flush()

    @abc.abstractmethod
    def stored(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the bytes at the places of the rows, as far as these are known."""

    def finish(self, file: h5py.File) -> None:
        """Make the datasets whose size is known only at the end."""


class RowReader(abc.ABC):
    """The reading half: returns rows by index, from any thread."""

    @abc.abstractmethod
    def row(self, index: int) -> np.ndarray:
        """Return one row; read-only where it is a view."""

    def read(self, indexes: Sequence[int]) -> list[np.ndarray]:
        """Return rows, in the order of ``indexes``; read-only where they are views."""
        return [self.row(index) for index in indexes]

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the file."""
