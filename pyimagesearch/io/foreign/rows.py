"""Read the rows of a foreign file by its plan: arranged as images, and scaled as told."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import cv2
import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import Axes, inner_axes
from pyimagesearch.io.foreign.blocks import ArrayRows
from pyimagesearch.io.foreign.listing import read_attributes
from pyimagesearch.io.foreign.opening import damage_named, find_dataset, open_foreign
from pyimagesearch.io.foreign.pixels import Seen, ValueMap, interlace_mode
from pyimagesearch.io.foreign.plan import Plan
from pyimagesearch.io.images.decoding import decode_image

_ROWS_AT_ONCE, _LOOKED_AT = 64, 64
_FIRST, _MOST = 16, 256


class ImageRows:
    """Images of a plan whose form is "files" or "each"; those of other sizes are resized where the user told a size."""

    band_bytes = 0

    def __init__(self, file: h5py.File, plan: Plan) -> None:
        self._file, self._plan = file, plan
        self._dataset = find_dataset(file, plan.images) if plan.form == "files" else None
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._plan)

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the rows from ``first`` to before ``last`` in order: a row's number, and ndarray (k, h, w, c)."""
        last = len(self) if last is None else last
        for start in range(first, last, _ROWS_AT_ONCE):
            yield start, self.read(range(start, min(start + _ROWS_AT_ONCE, last)))

    def read(self, rows: Sequence[int]) -> np.ndarray:
        """Return rows by number as a new ndarray of shape (k, h, w, c).

        Raises:
            UserError: a row is no image, or one of another size.
        """
        return np.stack([self.image(int(row)) for row in rows])

    def image(self, row: int) -> np.ndarray:
        """Return one image in the plan's shape, as far as that is known: ndarray (h, w, c)."""
        stored = self._stored(row)
        pixels = decode_image(stored, f"row {row} of {self._plan.file}") if isinstance(stored, bytes) else stored
        height, width, channels = self._plan.shape[1:]
        if self._plan.choices.size and pixels.shape[:2] != (height, width):
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)
        if pixels.shape[2] == 1 and channels == 3:
            pixels = pixels.repeat(3, axis=2)
        if height and pixels.shape != (height, width, channels):
            raise UserError(
                f"images: must have one size; row {row} is {pixels.shape[0]}x{pixels.shape[1]}, the first "
                f'{height}x{width}; pass size="{height}x{width}" to resize them'
            )
        return pixels

    def zero(self, rows: Sequence[int]) -> np.ndarray:
        """Return for each row whether nothing but zeros is stored: bool ndarray (k,)."""
        stored = map(self._stored, rows)
        return np.array([not (any(each) if isinstance(each, bytes) else each.any()) for each in stored])

    def _stored(self, row: int) -> bytes | np.ndarray:
        """Return what is stored for a row: pixels, or the bytes of an image file."""
        with self._lock:
            if self._dataset is not None:
                return _bytes(self._dataset[tuple(map(int, np.unravel_index(row, self._dataset.shape)))])
            dataset = find_dataset(self._file, self._plan.members[row])
            value = dataset[()]
        if not isinstance(value, np.ndarray) or value.ndim < 2:
            return _bytes(value)
        attributes = read_attributes(dataset)
        letters = inner_axes(value.shape, "MATLAB_class" in attributes, interlace_mode(attributes))
        return Axes(f"n{letters}").arrange(value[np.newaxis])[0]


def stored_rows(file: h5py.File, plan: Plan, **memory: Any) -> ArrayRows | ImageRows:
    """Return the rows of an open file, not scaled yet; ``memory`` is passed to `ArrayRows`."""
    if plan.form != "array" or plan.axes is None:
        return ImageRows(file, plan)
    return ArrayRows(find_dataset(file, plan.images), plan.axes, len(plan), **memory)


def look(file: h5py.File, plan: Plan) -> Seen:
    """Return what the first, middle and last rows of a plan hold, for `Plan.settle`."""
    rows = stored_rows(file, plan)
    n = len(plan)
    if not all(plan.shape):  # image files, whose first one tells the size
        return Seen(0, 255, True, ImageRows(file, replace(plan, shape=(n, 0, 0, 3))).image(0).shape)
    some = sorted({*range(min(_LOOKED_AT, n)), *range(n // 2, min(n // 2 + _LOOKED_AT, n)), n - 1})
    block = rows.read(some)
    if block.dtype.kind != "f":
        return Seen(float(block.min()), float(block.max()), True)
    if not np.isfinite(block).all():
        row = some[int(np.flatnonzero(~np.isfinite(block.reshape(len(block), -1)).all(axis=1))[0])]
        raise UserError(f"images: values must be finite numbers; row {row} has others")
    return Seen(float(block.min()), float(block.max()), bool((block == np.trunc(block)).all()))


class PlannedRows:
    """The rows of a foreign file by a settled plan; a context manager that closes the file.

    Attributes:
        plan: the plan.
        dtype: of the rows as they are returned.
        stored: the rows before scaling.
    """

    def __init__(self, plan: Plan, **memory: Any) -> None:
        """Open the file of a plan; ``memory`` is passed to `ArrayRows`.

        Raises:
            UserError: the file cannot be opened, or is unfinished.
        """
        plan.require_finished()
        if plan.is_images and plan.rule is None:
            raise ValueError("the plan must be settled by Plan.settle before its rows are read")
        self.plan = plan
        self._file = open_foreign(plan.file)
        self.stored = stored_rows(self._file, plan, **memory)
        self._values = ValueMap(plan.rule) if plan.rule else None
        self.dtype = plan.row_dtype

    def __enter__(self) -> "PlannedRows":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.plan)

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield all rows in order, in blocks of some megabytes, every chunk decoded once.

        Yields:
            The number of the first row, and an ndarray of shape (k, h, w, c) or (k, d).

        Raises:
            UserError: a value breaks the plan's rule, or bytes cannot be decoded.
        """
        with self._damage_named():
            for start, block in self.stored.blocks(first, last):
                yield start, self._valued(block, range(start, start + len(block)))

    def read(self, rows: Sequence[int]) -> np.ndarray:
        """Return rows by number, in any order, as a new ndarray of shape (k, h, w, c) or (k, d).

        Raises:
            UserError: a value breaks the plan's rule, or bytes cannot be decoded.
        """
        with self._damage_named():
            block = self.stored.read(rows)
        return self._valued(block, rows)

    def _valued(self, block: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        return self._values.apply(block, rows) if self._values else block.astype(self.dtype, copy=False)

    def losses(self) -> str:
        """Return what scaling has lost so far, for people; or ""."""
        return self._values.losses() if self._values else ""

    def slow_when_shuffled(self) -> str:
        """Return why rows in random order are slow to read, as a sentence; or "" where they are not."""
        rows = self.stored
        if not isinstance(rows, ArrayRows) or rows.band_rows < 2 or len(rows) * rows.row_bytes <= rows.cache_bytes:
            return ""
        return (
            f"each row of {self.plan.images} shares its chunks with {rows.band_rows - 1:,} others: in random order, "
            f"{rows.band_bytes / 2**20:,.0f} MiB are decoded for one row that is not in the cache"
        )

    def _damage_named(self) -> AbstractContextManager[None]:
        return damage_named(self.plan.file, f"rows of {self.plan.images or 'the images'}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def unwritten(count: int, rows: int) -> str:
    """Return a sentence on the rows that `count_unwritten_tail` counted."""
    return (
        f"the last {count:,} of {rows:,} rows are all zero and of class 0, as rows are that a stopped writer never "
        f"wrote; pass rows={rows - count} to leave them out, or rows={rows} if they are real"
    )


def count_unwritten_tail(rows: ArrayRows | ImageRows, labels: np.ndarray) -> int:
    """Return how many rows at the end are all zero and of class 0, as rows are that were never written.

    A complete file costs the reading of one row.

    Args:
        rows: rows as they are stored, before any scaling: ``PlannedRows.stored``.
        labels: ndarray of shape (n,), the classes of the rows.
    """
    others = np.flatnonzero(labels)
    first = int(others[-1]) + 1 if len(others) else 0
    stop = len(rows)
    if first == stop or not rows.zero([stop - 1]).all():
        return 0
    step = _FIRST
    while stop > first:
        start = max(first, stop - step)
        written = np.flatnonzero(~rows.zero(range(start, stop)))
        if len(written):
            return len(rows) - (start + int(written[-1]) + 1)
        stop, step = start, min(2 * step, _MOST)
    return len(rows) - first


def _bytes(value: object) -> bytes:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value)  # type: ignore[call-overload]
