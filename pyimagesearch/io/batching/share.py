"""One process's share of every batch, where several processes or devices train one network together.

All devices take the same steps, on equal numbers of rows: anything else stops the others. So where rows
cannot be shared out evenly, an epoch of training leaves out the few last rows of its order, which are others
in the next epoch. An evaluation visits every row equally often instead, several times if need be: means
over its rows, as loss and accuracy, are those of one visit.
"""

import math

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.order import EpochOrder


class Part:
    """Which rows of a batch are this process's.

    Args:
        n: rows of the data set.
        batch_size: rows of a batch, all processes together.
        training: whether rows may be left out; otherwise they may come several times.
        index: the number of this process, from 0.
        count: how many processes there are.
        devices: how many of each process share its rows in turn.

    Raises:
        UserError: an argument breaks a rule.
    """

    def __init__(self, n: int, batch_size: int, training: bool, index: int, count: int, devices: int = 1) -> None:
        size = count * devices
        if not 0 <= index < count or devices < 1:
            raise UserError(
                "part: must be a number below a count of at least 1, and at least 1 device; received "
                f"{index} of {count} with {devices}"
            )
        if batch_size % size:
            raise UserError(
                f"batch_size: must be a multiple of the {size} devices that share every batch; received "
                f"{batch_size}; take {-(-batch_size // size) * size}"
            )
        if training and n < size:
            raise UserError(f"part: {size} devices need a row each; received {n} rows; use fewer devices")
        self._n, self._batch_size, self._index, self._count = n, batch_size, index, count
        self._visited = n - n % size if training else n * size // math.gcd(n, size)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return math.ceil(self._visited / self._batch_size)

    def rows(self, order: EpochOrder, index: int) -> np.ndarray:
        """Return the rows of batch ``index`` that are this process's, int64 of shape (share of the batch,)."""
        begin = index * self._batch_size
        share = (min(begin + self._batch_size, self._visited) - begin) // self._count
        start = begin + self._index * share
        rows, place = [], start
        while place < start + share:  # of one visit after the other
            visit = place // self._n * self._n
            rows.append(order.rows(place - visit, start + share - visit))
            place += len(rows[-1])
        return rows[0] if len(rows) == 1 else np.concatenate(rows)
