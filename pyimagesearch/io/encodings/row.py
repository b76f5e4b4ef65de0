"""A row as it lies on disk: what the two halves of an encoding, writing and reading, have in common."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import cv2
import h5py
import numpy as np


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
