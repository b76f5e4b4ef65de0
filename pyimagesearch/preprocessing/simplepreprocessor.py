"""Resize an image and ignore its aspect ratio."""

from collections.abc import Sequence

import cv2
import numpy as np

from pyimagesearch.preprocessing.imagechecks import check_image, check_size
from pyimagesearch.preprocessing.resizing import resize


class SimplePreprocessor:
    """Resize to a fixed size; the aspect ratio is not kept.

    Args:
        width: width of the result, in pixels.
        height: height of the result, in pixels.
        inter: OpenCV's interpolation flag.
    """

    def __init__(self, width: int, height: int, inter: int = cv2.INTER_AREA) -> None:
        check_size(width=width, height=height)
        self.width, self.height, self.inter = width, height, inter

    def preprocess(self, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the image as (height, width[, channels]) of its own dtype.

        Args:
            image: ndarray of shape (h, w) or (h, w, channels), uint8 or float32.
            out: where to write the result, if its shape and dtype are those of the result.

        Raises:
            UserError: ``image`` is no image.
        """
        check_image(image, "SimplePreprocessor")
        return self.transform(image, (), out)

    def transform(self, image: np.ndarray, numbers: Sequence[float], out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked; ``numbers`` are not used."""
        if image.shape[:2] == (self.height, self.width):
            return image
        return resize(image, self.width, self.height, self.inter, out)
