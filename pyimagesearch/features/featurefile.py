"""Read feature vectors by index: from memory if they fit, else from the file."""

import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.utils.text import classes_in_words

_BLOCK_BYTES = 2**20  # of rows in float32: they stay in a processor's cache while it works on them


class FeatureFile:
    """The feature vectors of a file, their classes and their recipe; a context manager.

    Args:
        db_path: an HDF5 file of features, of shape (n, d) and any dtype.
        in_memory: True reads all rows at once, as float32; False reads each block from the file when it is needed; None
            reads them at once if they take at most half of the free memory.
        neighbours: number of processes that share this memory.

    Attributes:
        path: the file.
        shape: (n, d).
        labels: int64 ndarray of shape (n,): the index of each row's class in ``names``.
        names: the classes that occur, sorted.
        recipe: how to make such features of other images, as JSON; "" if the file does not say.
        in_memory: whether all rows were read at once.

    Raises:
        UserError: the file cannot be used, holds images, or has too few rows of a class.
    """

    def __init__(self, db_path: str | os.PathLike[str], in_memory: bool | None = None, neighbours: int = 1) -> None:
        header = read_header(db_path)
        self.names, self.labels = _classes(header)
        self.shape = (header.shape[0], header.shape[1])
        self.recipe, self.path, self._header = header.recipe, header.path, header
        needed = 4 * self.shape[0] * self.shape[1]
        self.in_memory = needed <= available_memory() / 2 / neighbours if in_memory is None else in_memory
        self._features, self._rows = None, None
        self._before_read: Callable[[], None] = lambda: None
        if self.in_memory:
            self._features = self._load(header)
        else:
            self._rows = open_rows(header)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return a copy of the features of ``rows``, float32 ndarray of shape (len(rows), d)."""
        self._before_read()
        if self._features is not None:
            return self._features[rows]
        assert self._rows is not None, "the file was closed"
        with np.errstate(over="ignore"):  # `read_blocks` reports what overflows
            return np.array(self._rows.read(rows.tolist()), np.float32)

    def blocks(self, rows: np.ndarray) -> list[np.ndarray]:
        """Split ``rows`` into blocks whose features fit a processor's cache."""
        size = int(np.clip(_BLOCK_BYTES // (4 * self.shape[1]), 16, 4096))
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def read_blocks(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the features of ``rows`` in order, block by block.

        Raises:
            UserError: a feature is not a finite number.
        """
        for block in self.blocks(rows):
            features = self.read(block)
            if not np.isfinite(features).all():
                wrong = block[~np.isfinite(features).all(axis=1)][0]
                raise UserError(
                    f"db_path: {self.path} must hold finite numbers in the range of float32; row {wrong} has others; "
                    "extract the features again"
                )
            yield features

    def read_paths(self, rows: np.ndarray) -> list[str] | None:
        """Return the image file of each of ``rows``; None if the file does not say.

        Raises:
            UserError: the file has another number of paths than of rows.
        """
        paths = read_row_paths(self._header)
        if paths and len(paths) != self.shape[0]:
            raise UserError(
                f"db_path: {self.path} must have a path for each of its {self.shape[0]:,} rows, or none; it has "
                f"{len(paths):,}; extract the features again"
            )
        return [paths[row] for row in rows] if paths else None

    def watched(self, before_read: Callable[[], None]) -> "FeatureFile":
        """Return the same file, but call ``before_read``, which may raise, before each read."""
        twin = copy.copy(self)
        twin._before_read = before_read
        return twin

    def close(self) -> None:
        """Release the rows and the file."""
        self._features = None
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def __repr__(self) -> str:
        place = "in memory" if self.in_memory else "read from the file"
        words = f"{self.shape[0]:,} rows of {self.shape[1]:,} features; {classes_in_words(self.names)}; {place}"
        return f"<FeatureFile {self.path}: {words}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _load(self, header: Header) -> np.ndarray:
        features = np.empty(self.shape, np.float32)
        rows = open_rows(header)
        with np.errstate(over="ignore"):
            for start in range(0, len(features), 1024):  # whole chunks, if it has any
                stop = min(start + 1024, len(features))
                features[start:stop] = rows.read(range(start, stop))
        rows.close()
        return features


def _classes(header: Header) -> tuple[list[str], np.ndarray]:
    """Return the sorted names of the classes that occur, and the index of each row's class."""
    if len(header.shape) != 2:
        raise UserError(
            f"db_path: {header.path} must hold features of shape (n, d); it holds {header.key} of "
            f"shape {header.shape}; extract features first"
        )
    counts = np.bincount(header.labels)
    names = header.label_names or [str(label) for label in range(len(counts))]
    if len(names) < len(counts) or len(set(names)) < len(names):
        raise UserError(
            f"db_path: {header.path} must name each of its {len(counts)} classes, and no two alike; received the names "
            f"{names}; extract the features again"
        )
    present = np.flatnonzero(counts)
    rarest = present[counts[present].argmin()]
    if len(present) < 2 or counts[rarest] < 5:
        raise UserError(
            f"db_path: {header.path} must hold at least 2 classes of 5 rows each; it holds {len(present)}; "
            f"the rarest, {names[rarest]!r}, has {counts[rarest]:,}; add images, or leave rare classes out"
        )
    found, labels = np.unique(np.array(names)[header.labels], return_inverse=True)
    return found.tolist(), labels.astype(np.int64)


def available_memory() -> float:
    """Return the bytes of memory that this process may still take; infinity if the system does not tell."""
    limits = [float("inf")]
    meminfo, group = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
    if meminfo.is_file():
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        limits.append(1024 * int(fields["MemAvailable"].split()[0]))
    if (group / "memory.max").is_file() and (most := (group / "memory.max").read_text().strip()) != "max":
        limits.append(int(most) - int((group / "memory.current").read_text()))
    return max(min(limits), 0)
