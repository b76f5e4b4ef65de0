"""Resize an image and keep its aspect ratio; fill the rest up evenly."""

import cv2
import numpy as np

from pyimagesearch.preprocessing.imagechecks import check_image, check_size, with_channels_of
from pyimagesearch.preprocessing.resizing import resize


class PadPreprocessor:
    """Resize the whole image so that it just fits, and fill both sides, or top and bottom, with one value.

    Args:
        width: width of the result, in pixels.
        height: height of the result, in pixels.
        inter: OpenCV's interpolation flag.
        value: of the pixels that are filled in; 0 is black.
    """

    def __init__(self, width: int, height: int, inter: int = cv2.INTER_AREA, value: float = 0) -> None:
        check_size(width=width, height=height)
        self.width, self.height, self.inter, self.value = width, height, inter, value

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        """Return the image as (height, width[, channels]) of its own dtype.

        Args:
            image: ndarray of shape (h, w) or (h, w, channels), uint8 or float32.

        Raises:
            UserError: ``image`` is no image.
        """
        check_image(image, "PadPreprocessor")
        h, w = image.shape[:2]
        if (h, w) == (self.height, self.width):
            return image
        inner_h = max(1, min(self.height, round(h * self.width / w)))
        inner_w = max(1, min(self.width, round(w * self.height / h)))
        inner = resize(image, inner_w, inner_h, self.inter)
        top, left = (self.height - inner_h) // 2, (self.width - inner_w) // 2
        padded = cv2.copyMakeBorder(
            inner, top, self.height - inner_h - top, left, self.width - inner_w - left, cv2.BORDER_CONSTANT,
            value=[self.value] * 4,
        )  # fmt: skip
        return with_channels_of(padded, image)
