"""Verify rows: their bytes as they lie on disk, and all that their checksums cover."""

import os
import zlib
from collections.abc import Iterator

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.jpeg import JpegBytes
from pyimagesearch.io.encodings.row import EncodedRow, RowReader, row_checksum
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.untrusted import damaged, read_dataset
from pyimagesearch.io.reading.rows import open_rows


def no_checksums(path: str | os.PathLike[str]) -> UserError:
    """Return the error that a file cannot be verified."""
    return UserError(f"data set: {os.fspath(path)} has no checksums to verify; convert it, and the copy will have them")


class ChecksummedReader:
    """Reads the rows of one file, encoded, with what verifies them.

    Args:
        header: the header of the file; of a data set in shards, that of a shard.

    Attributes:
        paths: for each row the bytes of its path; empty where the file has none.

    Raises:
        UserError: the file is damaged, or has no checksums.
    """

    def __init__(self, header: Header) -> None:
        if header.plan:
            raise no_checksums(header.path)
        n = header.shape[0]
        self._labels, self._rows = header.labels, self._open(header)
        with open_file(header.path) as file:
            checksums, paths, sums = (read_dataset(file, name) for name in ("checksums", "paths", "channel_sums"))
        if checksums is None:
            raise no_checksums(header.path)
        if checksums.shape != (n,) or checksums.dtype.kind not in "iu":
            raise damaged(header.path, f"checksums must be one number for each row; their shape is {checksums.shape}")
        if sums is not None and (sums.ndim != 2 or sums.dtype.kind != "u" or len(sums) != n):
            raise damaged(header.path, f"channel_sums must have one row for each row; their shape is {sums.shape}")
        if paths is not None and (paths.shape != (n,) or not all(isinstance(path, bytes) for path in paths.tolist())):
            raise damaged(header.path, f"paths must be one text for each row; their shape is {paths.shape}")
        self._checksums = checksums.tolist()
        self.paths: list[bytes] = [b""] * n if paths is None else paths.tolist()
        self._sums = None if sums is None else sums.astype("<u8", copy=False)

    @staticmethod
    def _open(header: Header) -> RowReader:
        if header.encoding != "jpeg":
            return open_rows(header)
        with open_file(header.path) as file:
            return JpegBytes(header, file)

    def __len__(self) -> int:
        return len(self._checksums)

    def read(self, start: int, stop: int) -> Iterator[EncodedRow]:
        """Yield the rows from ``start`` to ``stop``, whether they are intact or not; any thread may call this."""
        for index, row in enumerate(self._rows.read(range(start, stop)), start):
            data = np.ascontiguousarray(row).reshape(-1).view(np.uint8).data
            sums = () if self._sums is None else tuple(self._sums[index].tolist())
            yield EncodedRow(data, zlib.crc32(data), sums)

    def is_intact(self, index: int, row: EncodedRow) -> bool:
        """Return whether a row is what was written: its bytes, label, path and sums of channels."""
        sums = None if self._sums is None else self._sums[index]
        found = row_checksum(row.checksum, int(self._labels[index]), self.paths[index], sums)
        return found == self._checksums[index]

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()
