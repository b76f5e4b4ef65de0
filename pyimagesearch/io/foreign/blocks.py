"""Read rows of one stored array, chunk by chunk: every chunk is decoded once, in bounded memory."""

import math
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from pyimagesearch.io.foreign.axes import Axes

MEMORY_BYTES = 2**28
CACHE_BYTES = 2**30
_PIECE_BYTES = 2**20


class ArrayRows:
    """Rows of a dataset whose axes lie in any order.

    The rows that share chunks are a band. Rows in order are read by whole bands. A band that is larger than
    ``memory_bytes`` is decoded in strips, which wait for their rows in a temporary file; so memory stays below
    ``memory_bytes``, or below three chunks where a chunk is larger than that. Rows in any order are read through a
    cache of decoded bands. Methods may be called from several threads.
    """

    def __init__(
        self, dataset: h5py.Dataset, axes: Axes, rows: int, *, memory_bytes: int = MEMORY_BYTES,
        cache_bytes: int = CACHE_BYTES, scratch: Path | None = None,
    ) -> None:  # fmt: skip
        """Prepare to read; nothing is read yet.

        Args:
            dataset: the stored array.
            axes: which of its axes is which.
            rows: how many of its rows are used.
            memory_bytes: about how much memory `blocks` takes.
            cache_bytes: how much memory decoded bands may take between calls of `read`.
            scratch: the folder of the temporary file, that of the system by default.
        """
        self._dataset, self._axes, self._rows = dataset, axes, rows
        self._memory, self._scratch = memory_bytes, scratch
        self.cache_bytes = cache_bytes
        stored = dataset.shape[axes.row]
        self.row_bytes = dataset.dtype.itemsize * max(1, math.prod(dataset.shape) // max(1, stored))
        self.band_rows = min(dataset.chunks[axes.row], stored) if dataset.chunks else 1
        self.band_bytes = self.band_rows * self.row_bytes
        self._cache: OrderedDict[int, np.ndarray] = OrderedDict()
        self._cached = 0
        self._filtered = dataset.chunks is not None and dataset.id.get_create_plist().get_nfilters() > 0
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return self._rows

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the rows from ``first`` to before ``last`` in order, in blocks of some megabytes.

        Yields:
            The index of the first row, and an ndarray of shape (k, h, w, c) or (k, d) in the stored dtype.
        """
        last = len(self) if last is None else last
        at_once = max(1, _PIECE_BYTES // self.row_bytes)
        for start, stop in self._pieces(first, last):
            for begin, block in self._read_piece(start, stop, at_once):
                yield begin, self._axes.arrange(block)

    def read(self, rows: Sequence[int]) -> np.ndarray:
        """Return rows by index, in any order, as a new ndarray of shape (k, h, w, c) or (k, d)."""
        wanted = np.asarray(rows, np.int64)
        with self._lock:
            if not len(wanted) or self._dataset.chunks is None or 2 * self.band_bytes > self.cache_bytes:
                return self._axes.arrange(self._direct(wanted))
            if len(_runs(wanted)) == 1 and (not self._filtered or self.band_rows == 1):
                return self._axes.arrange(self._direct(wanted))  # there is nothing to decode twice
            return self._axes.arrange(self._by_bands(wanted))

    def zero(self, rows: Sequence[int]) -> np.ndarray:
        """Return for each row whether nothing but zeros is stored: bool ndarray (k,)."""
        block = self.read(rows)
        return np.asarray(~block.reshape(len(block), -1).any(axis=1))

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of whole bands, several at a time where they are small."""
        # An axis of rows that is not the first is stored in runs as long as the rows read at once.
        wanted = _PIECE_BYTES if self._axes.row == 0 else self._memory // 4
        step = self.band_rows * max(1, wanted // self.band_bytes)
        start = first
        while start < last:
            stop = min(start - start % step + step, last)
            yield start, stop
            start = stop

    def _read_piece(self, start: int, stop: int, at_once: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield some rows at a time, as views whose first axis is the rows."""
        strips = self._strip_slices() if self.band_bytes > self._memory // 2 else [slice(None)]
        if len(strips) == 1:
            piece = self._slice(start, stop)
            for begin in range(start, stop, at_once):
                yield begin, piece[begin - start : min(begin + at_once, stop) - start]
            return
        axis = self._strip_axis()
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            waiting = _Strips(file, axis if axis > self._axes.row else axis + 1)
            for strip in strips:
                waiting.add(self._slice(start, stop, strip))
            for begin in range(start, stop, at_once):
                yield begin, waiting.rows(begin - start, min(begin + at_once, stop) - start)

    def _slice(self, start: int, stop: int, strip: slice = slice(None)) -> np.ndarray:
        """Return rows of a strip; the first axis is the rows, the others are as stored."""
        place: list[slice] = [slice(None)] * self._dataset.ndim
        if strip != slice(None):
            place[self._strip_axis()] = strip
        place[self._axes.row] = slice(start, stop)
        with self._lock:
            return np.moveaxis(self._dataset[tuple(place)], self._axes.row, 0)

    def _strip_axis(self) -> int:
        """Return the axis with the most chunks that is not the rows."""
        counts = [-(-side // chunk) for side, chunk in zip(self._dataset.shape, self._dataset.chunks, strict=True)]
        counts[self._axes.row] = 0
        return counts.index(max(counts))

    def _strip_slices(self) -> list[slice]:
        """Return the strips of a band, each of whole chunks and of half the memory at most."""
        if self._dataset.chunks is None:
            return [slice(None)]
        axis = self._strip_axis()
        side, chunk = self._dataset.shape[axis], self._dataset.chunks[axis]
        chunk_bytes = max(1, self.band_bytes * chunk // side)
        step = chunk * max(1, self._memory // 2 // chunk_bytes)
        return [slice(start, min(start + step, side)) for start in range(0, side, step)]

    def _direct(self, wanted: np.ndarray) -> np.ndarray:
        """Read rows without the cache, consecutive ones at once."""
        if not len(wanted):
            return self._slice(0, 0)
        parts = [self._slice(int(run[0]), int(run[-1]) + 1) for run in _runs(wanted)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _by_bands(self, wanted: np.ndarray) -> np.ndarray:
        """Read rows through the cache of bands; one band after another, so that a batch needs no more memory."""
        bands = wanted // self.band_rows
        order = np.argsort(bands, kind="stable")
        numbers, starts = np.unique(bands[order], return_index=True)
        result = np.empty((0,), self._dataset.dtype)
        for band, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            rows = self._band(band, numbers)
            if not len(result):
                result = np.empty((len(wanted), *rows.shape[1:]), rows.dtype)
            within = wanted[places] - band * self.band_rows
            if len(_runs(within)) == len(_runs(places)) == 1:
                result[places[0] : places[-1] + 1] = rows[within[0] : within[-1] + 1]
            else:
                result[places] = rows[within]
        return result

    def _band(self, band: int, wanted: np.ndarray) -> np.ndarray:
        """Return a band from the cache; a missing one is read together with missing ones that follow and are wanted."""
        if band in self._cache:
            self._cache.move_to_end(band)
            return self._cache[band]
        stop, last = band + 1, band + max(1, min(_PIECE_BYTES, self.cache_bytes) // self.band_bytes)
        following = wanted[np.searchsorted(wanted, band) + 1 :].tolist()
        for other in following:
            if other != stop or other in self._cache or stop >= last:
                break
            stop += 1
        rows = self._slice(band * self.band_rows, min(stop * self.band_rows, self._dataset.shape[self._axes.row]))
        for number in range(stop - band):
            part = rows[number * self.band_rows : (number + 1) * self.band_rows]
            self._cache[band + number] = part if stop - band == 1 else part.copy()
            self._cached += part.nbytes
        while self._cached > self.cache_bytes and len(self._cache) > stop - band:
            self._cached -= self._cache.popitem(last=False)[1].nbytes
        return self._cache[band]


def _runs(numbers: np.ndarray) -> list[np.ndarray]:
    """Return consecutive numbers together."""
    return np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1) if len(numbers) else []


class _Strips:
    """The rows of one band, cut across into strips that wait in a file."""

    def __init__(self, file: BinaryIO, axis: int) -> None:
        """Begin with no strips, which are cut across ``axis``; axis 0 is the rows."""
        self._file, self._axis = file, axis
        self._places: list[tuple[int, np.dtype, tuple[int, ...]]] = []

    def add(self, strip: np.ndarray) -> None:
        """Append a strip, whose first axis is the rows."""
        self._file.seek(0, 2)
        self._places.append((self._file.tell(), strip.dtype, strip.shape[1:]))
        self._file.write(np.ascontiguousarray(strip).view(np.uint8).data)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows of all strips together."""
        parts = []
        for place, dtype, sides in self._places:
            row_bytes = math.prod(sides) * dtype.itemsize
            self._file.seek(place + start * row_bytes)
            raw = self._file.read((stop - start) * row_bytes)
            parts.append(np.frombuffer(raw, dtype).reshape(stop - start, *sides))
        return np.concatenate(parts, axis=self._axis)
