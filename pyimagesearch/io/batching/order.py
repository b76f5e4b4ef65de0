"""The order in which an epoch visits the rows: a pure function of (rows, seed, epoch)."""

import numpy as np

from pyimagesearch.io.batching.randomness import mix

LARGEST_DRAWN = 2**20
"""Orders of more rows than this are calculated block by block: 8 MiB is enough for an order."""


_BLOCK, _ROUNDS = 2**14, 8


class EpochOrder:
    """The order of one epoch, in memory that does not grow with the rows.

    Up to `LARGEST_DRAWN` rows are shuffled by numpy: every order is equally likely. More are permuted by
    a keyed bijection: a Feistel network over the next power of two, applied until the result is the index
    of a row ("cycle walking"; J. Black and P. Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).

    Args:
        n: number of rows.
        seed: seed of the shuffle; its lowest 64 bits count.
        epoch: from 0; every epoch has an order of its own.
        shuffle: False for the order of the file.
    """

    def __init__(self, n: int, seed: int, epoch: int, shuffle: bool) -> None:
        self._n, self._shuffle = n, shuffle
        self._drawn: np.ndarray | None = None
        self._block = -1, np.empty(0, np.int64)
        if shuffle:
            rng = np.random.default_rng((seed & 0xFFFFFFFFFFFFFFFF, epoch))
            if n <= LARGEST_DRAWN:
                self._drawn = rng.permutation(n)
            else:
                self._bijection = _Bijection(n, rng.integers(0, 2**64, _ROUNDS, np.uint64))

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return the rows at the places from ``start`` to ``stop``, which may lie past the end.

        Returns:
            int64 ndarray of shape (min(stop, n) - start,).
        """
        stop = min(stop, self._n)
        if not self._shuffle:
            return np.arange(start, stop)
        if self._drawn is not None:
            return self._drawn[start:stop]
        blocks = range(start // _BLOCK, -(-stop // _BLOCK))
        rows = [self._calculated(i)[max(0, start - i * _BLOCK) : stop - i * _BLOCK] for i in blocks]
        return np.concatenate([np.empty(0, np.int64), *rows])

    def _calculated(self, block: int) -> np.ndarray:
        kept, rows = self._block  # read once: another thread may put another block there
        if kept != block:
            places = np.arange(block * _BLOCK, min((block + 1) * _BLOCK, self._n), dtype=np.uint64)
            rows = self._bijection(places).astype(np.int64)
            self._block = block, rows
        return rows


class _Bijection:
    """A permutation of 0..n-1, by its keys."""

    def __init__(self, n: int, keys: np.ndarray) -> None:
        bits = (n - 1).bit_length()
        self._n, self._keys = np.uint64(n), keys
        self._low = np.uint64(bits // 2)
        self._mask = np.uint64(2 ** (bits // 2) - 1)
        self._unused = np.uint64(64 - (bits - bits // 2)), np.uint64(64 - bits // 2)

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        result = self._encipher(numbers)
        outside = np.flatnonzero(result >= self._n)
        while len(outside):
            result[outside] = self._encipher(result[outside])
            outside = outside[result[outside] >= self._n]
        return result

    def _encipher(self, numbers: np.ndarray) -> np.ndarray:
        """Change the high half by the low one, then the low half by the high one, and again."""
        numbers = numbers.copy()
        for high_key, low_key in self._keys.reshape(-1, 2):
            numbers ^= (mix((numbers & self._mask) + high_key) >> self._unused[0]) << self._low
            numbers ^= mix((numbers >> self._low) + low_key) >> self._unused[1]
        return numbers
