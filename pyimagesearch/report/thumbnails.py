"""Small pictures that are part of the page."""

import base64
from typing import NamedTuple

import cv2
import numpy as np

from pyimagesearch.utils import thumbnails

SIDE = 112
"""Longest side of a picture, in pixels."""

_QUALITY = 72


class Thumbnail(NamedTuple):
    """A picture as an address that holds it.

    Attributes:
        source: a ``data:`` address.
        width, height: in pixels.
        alt: what it shows, for who cannot see it.
    """

    source: str
    width: int
    height: int
    alt: str


def thumbnail(image: np.ndarray, alt: str, side: int = SIDE) -> Thumbnail:
    """Return an image as a picture of the page; a small one keeps its size.

    Args:
        image: ndarray of shape (h, w, 3), BGR, or (h, w[, 1]), gray, uint8.
        side: the longest side, in pixels.
    """
    small = thumbnails.thumbnail(image, side, enlarge=False)
    height, width = small.shape[:2]
    data = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])[1].tobytes()
    return Thumbnail(f"data:image/webp;base64,{base64.b64encode(data).decode()}", width, height, alt)


def centred(image: np.ndarray) -> np.ndarray:
    """Return pixels around zero as uint8 with zero as middle gray; what does not fit is cut off."""
    return np.rint(image + 128).clip(0, 255).astype(np.uint8)
