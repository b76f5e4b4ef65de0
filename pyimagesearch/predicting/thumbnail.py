"""Small pictures of images."""

import cv2
import numpy as np

SIDE = 160
"""Longest side of a thumbnail, in pixels."""


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return an image fitted into a square, ndarray of shape (h, w, 3), uint8, RGB, its longer side `SIDE`.

    Args:
        image: ndarray of shape (h, w, 3), BGR, or (h, w, 1), gray, uint8.
    """
    scale = SIDE / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    inter = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, (width, height), interpolation=inter)
    return cv2.cvtColor(small, cv2.COLOR_GRAY2RGB if small.ndim == 2 else cv2.COLOR_BGR2RGB)
