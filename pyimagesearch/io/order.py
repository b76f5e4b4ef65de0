"""In which order an epoch visits the rows: a pure function of (rows, seed, epoch)."""

import numpy as np


def epoch_order(n: int, seed: int, epoch: int, shuffle: bool) -> np.ndarray:
    """Return every row number in 0..n-1 once.

    Args:
        n: how many rows there are.
        seed: seed of the shuffle; its lowest 64 bits count.
        epoch: the number of the epoch, from 0; every epoch has an order of its own.
        shuffle: False for the order of the file.

    Returns:
        int64 ndarray of shape (n,).
    """
    if not shuffle:
        return np.arange(n)
    return np.random.default_rng((seed & 0xFFFFFFFFFFFFFFFF, epoch)).permutation(n)
