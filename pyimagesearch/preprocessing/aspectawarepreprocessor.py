"""Resize an image and keep its aspect ratio; cut the rest off evenly."""

from collections.abc import Sequence

import cv2
import numpy as np

from pyimagesearch.preprocessing.imagechecks import check_image, check_size
from pyimagesearch.preprocessing.resizing import resize


class AspectAwarePreprocessor:
    """Cut the longer sides off evenly until the aspect ratio is the target's, then resize what is left.

    The book resizes first: the same picture, give or take half a pixel of what is cut, but it also resizes
    the pixels that are cut off.

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
        check_image(image, "AspectAwarePreprocessor")
        return self.transform(image, (), out)

    def transform(self, image: np.ndarray, numbers: Sequence[float], out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked; ``numbers`` are not used."""
        h, w = image.shape[:2]
        cut_h = min(h, max(1, round(w * self.height / self.width)))
        cut_w = min(w, max(1, round(h * self.width / self.height)))
        if (cut_h, cut_w) != (h, w):
            top, left = (h - cut_h) // 2, (w - cut_w) // 2
            image = image[top : top + cut_h, left : left + cut_w]
        if (cut_h, cut_w) == (self.height, self.width):
            return image
        return resize(image, self.width, self.height, self.inter, out)
