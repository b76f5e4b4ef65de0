"""Counts the rows at the end that a stopped writer has never written."""

import numpy as np

from pyimagesearch.io.foreign.rows import StoredRows

_FIRST, _MOST = 16, 256


def unwritten(count: int, rows: int) -> str:
    """Return a sentence on the rows that `count_unwritten_tail` counted."""
    return (
        f"the last {count:,} of {rows:,} rows are all zero and of class 0, as rows are that a stopped writer never "
        f"wrote; pass rows={rows - count} to leave them out, or rows={rows} if they are real"
    )


def count_unwritten_tail(rows: StoredRows, labels: np.ndarray) -> int:
    """Return how many rows at the end are all zero and of class 0, as rows are that were never written.

    A complete file costs the reading of one row.

    Args:
        rows: rows as they are stored, before any scaling: ``PlannedRows.stored``.
        labels: ndarray of shape (n,), the classes of the rows.
    """
    # the book's writer stores class 0 where it has not come to
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
