"""Images and labels that the files of these tests hold."""

import numpy as np

N = 20


def pictures(n=N, height=8, width=6, channels=3):
    """Return random images: uint8 ndarray (n, h, w, c)."""
    return np.random.default_rng(7).integers(0, 256, (n, height, width, channels), np.uint8)


def classes(n=N, count=3):
    """Return class numbers 0, 1, 2, 0, 1, ..."""
    return np.arange(n) % count
