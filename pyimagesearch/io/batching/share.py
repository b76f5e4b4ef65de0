"""One process's share of every batch, where several processes or devices train one network together.

All devices take the same steps, on equal numbers of rows: anything else stops the others. So where rows
cannot be shared out evenly, an epoch of training leaves out the few last rows of its order, which are others
in the next epoch. An evaluation visits every row equally often instead, several times if need be: means
over its rows, such as loss and accuracy, are those of one visit.
"""

import math
from dataclasses import dataclass

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.order import EpochOrder


@dataclass(frozen=True)
class Share:
    """The place of a process among those that share every batch.

    Attributes:
        index: of this process, from 0.
        count: number of processes.
        devices: number of devices of each process, which share its rows in turn.

    Raises:
        UserError: an argument breaks a rule.
    """

    index: int = 0
    count: int = 1
    devices: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count or self.devices < 1:
            raise UserError(
                f"share: must have an index below a count of at least 1, and at least 1 device; received {self}"
            )


class SharedBatches:
    """The rows of each batch of an epoch that are one process's share.

    Args:
        n: rows of the data set.
        batch_size: rows of a batch, all processes together.
        training: whether rows may be left out; otherwise they may come several times.
        share: the place of this process.

    Raises:
        UserError: the rows cannot be shared out.
    """

    def __init__(self, n: int, batch_size: int, training: bool, share: Share) -> None:
        size = share.count * share.devices
        if batch_size % size:
            raise UserError(
                f"batch_size: must be a multiple of the {size} devices that share every batch; received "
                f"{batch_size}; pass {-(-batch_size // size) * size}"
            )
        if training and n < size:
            raise UserError(f"share: {size} devices need a row each; received {n} rows; use fewer devices")
        self._n, self._batch_size, self._share = n, batch_size, share
        self._visited = n - n % size if training else n * size // math.gcd(n, size)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return math.ceil(self._visited / self._batch_size)

    def rows(self, order: EpochOrder, index: int) -> np.ndarray:
        """Return the rows of batch ``index`` that are this process's, int64 of shape (share of the batch,)."""
        begin = index * self._batch_size
        size = (min(begin + self._batch_size, self._visited) - begin) // self._share.count
        start = begin + self._share.index * size
        rows, place = [], start
        while place < start + size:  # one visit of all rows after the other
            visit = place // self._n * self._n
            rows.append(order.rows(place - visit, start + size - visit))
            place += len(rows[-1])
        return rows[0] if len(rows) == 1 else np.concatenate(rows)
