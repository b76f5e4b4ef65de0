"""Validate images and sizes, as all preprocessors do."""

from typing import Any

import numpy as np

from pyimagesearch.errors import UserError


def check_size(**sizes: Any) -> None:
    """Raise a `UserError` unless every named size is a whole number of at least 1."""
    for name, value in sizes.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise UserError(f"{name}: must be a whole number of pixels, at least 1; received {value!r}")


def check_image(image: Any, who: str) -> None:
    """Raise a `UserError` unless ``image`` is an array of shape (h, w) or (h, w, channels)."""
    shape = getattr(image, "shape", None)
    if shape is None or len(shape) not in (2, 3) or 0 in shape:
        received = f"shape {shape}" if shape is not None else type(image).__name__
        raise UserError(
            f"image: {who} needs an array of shape (height, width) or (height, width, channels); "
            f"received {received}; was the file read? (cv2.imread returns None where it could not)"
        )


def check_fits(image: np.ndarray, width: int, height: int, who: str) -> None:
    """Raise a `UserError` unless a window of ``width`` x ``height`` fits into ``image``."""
    check_image(image, who)
    h, w = image.shape[:2]
    if height > h or width > w:
        raise UserError(
            f"{who}: a window of {width}x{height} (width x height) must fit into the image; "
            f"received an image of {w}x{h}; make the window smaller or store larger images"
        )


def with_channels_of(image: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Give back the axis of a single channel, which OpenCV drops."""
    return image if image.ndim == source.ndim else image[:, :, None]
