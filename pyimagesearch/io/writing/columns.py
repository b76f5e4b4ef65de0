"""The columns beside the rows of a file that is being written: labels, checksums, sums of the channels."""

from collections.abc import Sequence
from typing import BinaryIO

import h5py
import numpy as np

from pyimagesearch.io.encodings.row import EncodedRow, read_into, row_checksum
from pyimagesearch.io.format.layout import allocate


class Columns:
    """Columns with a value for each row, in memory and, up to the last flush, on disk.

    Args:
        rows: number of rows.
        channels: channels whose sums are kept; 0 for none.
    """

    def __init__(self, rows: int, channels: int) -> None:
        self._columns: dict[str, np.ndarray] = {
            "labels": np.zeros(rows, np.int64),
            "checksums": np.zeros(rows, np.uint32),
        }
        if channels:
            self._columns["channel_sums"] = np.zeros((rows, channels), "<u8")
        self._offsets: dict[str, int] = {}

    @property
    def labels(self) -> np.ndarray:
        """The labels, int64 of shape (rows,)."""
        return self._columns["labels"]

    @property
    def checksums(self) -> np.ndarray:
        """The checksums, uint32 of shape (rows,)."""
        return self._columns["checksums"]

    def channel_sums(self, rows: int) -> np.ndarray:
        """Return the sum of each channel over the first ``rows``, uint64 of shape (channels,)."""
        return self._columns["channel_sums"][:rows].sum(axis=0, dtype=np.uint64)

    def put(self, first: int, rows: Sequence[EncodedRow], labels: np.ndarray, paths: Sequence[bytes]) -> None:
        """Set the values of ``rows``, the first of which has the index ``first``."""
        stop = first + len(rows)
        self.labels[first:stop] = labels
        if "channel_sums" in self._columns:
            self._columns["channel_sums"][first:stop] = [row.sums for row in rows]
        self.checksums[first:stop] = [
            self.checksum(index, row.checksum, label, path)
            for index, row, label, path in zip(range(first, stop), rows, labels.tolist(), paths, strict=True)
        ]

    def checksum(self, index: int, crc: int, label: int, path: bytes) -> int:
        """Return the checksum of a row whose bytes have the CRC-32 ``crc``, and whose sums are set."""
        sums = self._columns["channel_sums"][index] if "channel_sums" in self._columns else None
        return row_checksum(crc, label, path, sums)

    def allocate(self, file: h5py.File) -> None:
        """Make the datasets."""
        for name, values in self._columns.items():
            self._offsets[name] = allocate(file, name, values.shape, values.dtype)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each dataset, by its name."""
        return {name: values.shape for name, values in self._columns.items()}

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where each dataset begins and ends in the file."""
        return [(start, start + self._columns[name].nbytes) for name, start in self._offsets.items()]

    def load(self, file: BinaryIO) -> None:
        """Read what an earlier run flushed."""
        for name, values in self._columns.items():
            file.seek(self._offsets[name])
            read_into(file, values)

    def flush(self, file: BinaryIO, first: int, last: int) -> None:
        """Write the values of rows ``first`` to ``last``, the latter not included."""
        for name, values in self._columns.items():
            file.seek(self._offsets[name] + first * values[:1].nbytes)
            file.write(values[first:last].data)
