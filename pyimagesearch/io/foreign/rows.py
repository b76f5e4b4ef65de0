"""The rows of a foreign file, read by its plan: arranged as images, and scaled as told."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.blocks import CACHE_BYTES, MEMORY_BYTES, ArrayRows
from pyimagesearch.io.foreign.damage import damage_named
from pyimagesearch.io.foreign.imagerows import ImageRows
from pyimagesearch.io.foreign.links import find_dataset
from pyimagesearch.io.foreign.listing import open_foreign
from pyimagesearch.io.foreign.plan import Plan
from pyimagesearch.io.foreign.values import Seen, ValueMap

_LOOKED_AT = 64


class StoredRows(Protocol):
    """Rows as they are stored, but with their axes in order."""

    band_bytes: int

    def __len__(self) -> int: ...

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield rows in order, in blocks."""
        ...

    def read(self, rows: Sequence[int]) -> np.ndarray:
        """Return rows by number."""
        ...

    def zero(self, rows: Sequence[int]) -> np.ndarray:
        """Return for each row whether nothing but zeros is stored: bool ndarray (k,)."""
        ...


def stored_rows(
    file: h5py.File, plan: Plan, *, memory_bytes: int = MEMORY_BYTES, cache_bytes: int = CACHE_BYTES,
    scratch: Path | None = None,
) -> StoredRows:  # fmt: skip
    """Return the rows of an open file, not scaled yet; arguments as of `ArrayRows`."""
    if plan.form != "array" or plan.axes is None:
        return ImageRows(file, plan)
    dataset = find_dataset(file, plan.images)
    return ArrayRows(dataset, plan.axes, len(plan), memory_bytes=memory_bytes, cache_bytes=cache_bytes, scratch=scratch)


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

    def __init__(
        self, plan: Plan, *, memory_bytes: int = MEMORY_BYTES, cache_bytes: int = CACHE_BYTES,
        scratch: Path | None = None,
    ) -> None:  # fmt: skip
        """Open the file of a plan; memory arguments as of `ArrayRows`.

        Raises:
            UserError: the file cannot be opened, or is unfinished.
        """
        plan.require_finished()
        if plan.is_images and plan.rule is None:
            raise ValueError("the plan must be settled by Plan.settle before its rows are read")
        self.plan = plan
        self._file = open_foreign(plan.file)
        self.stored = stored_rows(self._file, plan, memory_bytes=memory_bytes, cache_bytes=cache_bytes, scratch=scratch)
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
                yield start, self._values.apply(block, start) if self._values else block.astype(self.dtype, copy=False)

    def read(self, rows: Sequence[int]) -> np.ndarray:
        """Return rows by number, in any order, as a new ndarray of shape (k, h, w, c) or (k, d).

        Raises:
            UserError: a value breaks the plan's rule, or bytes cannot be decoded.
        """
        with self._damage_named():
            block = self.stored.read(rows)
        return (
            self._values.apply(block, int(min(rows, default=0)))
            if self._values
            else block.astype(self.dtype, copy=False)
        )

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
