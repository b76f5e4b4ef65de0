"""Small versions of images, to look at."""

import cv2
import numpy as np


def thumbnail(image: np.ndarray, side: int, enlarge: bool = True) -> np.ndarray:
    """Resize an image so that its longer side is ``side`` pixels long.

    Args:
        image: ndarray of shape (h, w, 3), BGR, or (h, w) or (h, w, 1), gray; uint8.
        enlarge: whether to enlarge a smaller image, too.

    Returns:
        ndarray of shape (h, w, 3), uint8, BGR.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale < 1 or (enlarge and scale > 1):
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return image if image.ndim == 3 and image.shape[2] == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
