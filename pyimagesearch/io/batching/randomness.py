"""Random numbers as a pure function of seed, epoch and row, for many rows at once.

The bits are those of SplitMix64 (Steele, Lea and Flood, 2014) run as a hash: the state is a key made
of seed, epoch and row, plus the golden gamma once per number. Without a state there is no order: any thread
can ask for the numbers of any row at any time.
"""

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def uniforms(seed: int, epoch: int, rows: np.ndarray, draws: int) -> np.ndarray:
    """Return ``draws`` random numbers for each row.

    Args:
        seed: any whole number; its lowest 64 bits count.
        epoch: from 0.
        rows: integer ndarray of shape (n,).
        draws: count of numbers for each row.

    Returns:
        ndarray of shape (n, draws), float64, uniform in [0, 1).
    """
    key = mix(np.array([seed & 0xFFFFFFFFFFFFFFFF], np.uint64))
    key = mix(key + np.array([epoch], np.uint64) * _GAMMA)
    keys = mix(key + rows.astype(np.uint64) * _GAMMA)
    steps = np.arange(1, draws + 1, dtype=np.uint64) * _GAMMA
    return (mix(keys[:, None] + steps) >> np.uint64(11)) * 2.0**-53


def mix(z: np.ndarray) -> np.ndarray:
    """Return the finalizer of SplitMix64 of each number: uint64 in, uint64 out, one to one."""
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


class DrawnNumbers:
    """Numbers that were drawn before, returned as ``numpy.random.Generator.random`` would."""

    __slots__ = ("_numbers", "_position")

    def __init__(self, numbers: list[float]) -> None:
        self._numbers, self._position = numbers, 0

    def random(self, count: int) -> list[float]:
        """Return the next ``count`` numbers, each in [0, 1)."""
        start = self._position
        self._position = start + count
        return self._numbers[start : start + count]
