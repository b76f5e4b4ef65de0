"""Rows as they lie on disk, with all that their checksums cover."""

import zlib
from collections.abc import Iterator

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.raw import MappedRows
from pyimagesearch.io.encodings.row import EncodedRow, row_checksum
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.untrusted import damage_reported, open_dataset
from pyimagesearch.io.reading.rows import open_rows


class StoredRows:
    """The rows of one file that has checksums.

    Args:
        header: the file's header; of a data set in shards, that of a shard.

    Attributes:
        labels: int64 ndarray of shape (n,).
        paths: for each row the bytes of its path; empty where the file has none.
        has_paths: whether it has them.

    Raises:
        UserError: the file is damaged, or has no checksums.
    """

    def __init__(self, header: Header) -> None:
        self.labels = header.labels
        with open_file(header.path) as file, damage_reported(header.path):
            checksums, paths, sums = (open_dataset(file, name) for name in ("checksums", "paths", "channel_sums"))
            if checksums is None:
                raise UserError(
                    f"--verify: {header.path} has no checksums to check; python -m pyimagesearch.io --convert "
                    "OUT makes a file that has"
                )
            n = len(checksums)
            if sums is not None and (sums.ndim != 2 or sums.dtype.kind != "u" or len(sums) != n):
                raise ValueError(f"channel_sums must have a row of sums for each row; it has {sums}")
            self._checksums = checksums[:].tolist()
            self.has_paths = paths is not None
            self.paths = [b""] * n if paths is None else paths[:].tolist()
            self._sums = None if sums is None else sums[:].astype("<u8", copy=False)
            self._ends = np.zeros(0, np.int64)
            if header.encoding == "jpeg":
                jpeg = open_dataset(file, "jpeg")
                if jpeg is None or jpeg.id.get_offset() is None:
                    raise ValueError(f"jpeg must be one block of bytes; it is {jpeg}")
                self._blob = MappedRows(header._replace(shape=jpeg.shape), jpeg.id.get_offset())
                self._ends = np.concatenate((np.zeros(1, np.int64), file["jpeg_ends"][:].astype(np.int64)))
                self._size = len(jpeg)
            else:
                self._rows = open_rows(header)

    def __len__(self) -> int:
        return len(self._checksums)

    def read(self, start: int, stop: int) -> Iterator[EncodedRow]:
        """Yield the rows from ``start`` to ``stop``, whether they are intact or not; any thread may call this."""
        for number, data in enumerate(self._bytes(start, stop), start):
            sums = () if self._sums is None else tuple(self._sums[number].tolist())
            yield EncodedRow(data, zlib.crc32(data), sums)

    def is_intact(self, number: int, row: EncodedRow) -> bool:
        """Return whether a row is what was written: its bytes, label, path and sums of channels."""
        sums = None if self._sums is None else self._sums[number]
        found = row_checksum(row.checksum, int(self.labels[number]), self.paths[number], sums)
        return found == self._checksums[number]

    def _bytes(self, start: int, stop: int) -> Iterator[memoryview]:
        if not len(self._ends):
            yield from (np.ascontiguousarray(row).data.cast("B") for row in self._rows.read(range(start, stop)))
            return
        for begin, end in zip(self._ends[start:stop].tolist(), self._ends[start + 1 : stop + 1].tolist(), strict=True):
            sound = 0 <= begin < end <= self._size
            yield (self._blob.span(begin, end) if sound else np.empty(0, np.uint8)).data
