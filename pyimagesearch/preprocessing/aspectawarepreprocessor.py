"""Resizes an image so that it keeps its aspect ratio, and cuts the rest off evenly."""

import cv2
import numpy as np

from pyimagesearch.preprocessing.checks import check_image, check_size, with_channels_of

_MOST_STRETCHED = 64


class AspectAwarePreprocessor:
    """Scale until the image just covers the target, then cut the overhanging sides off evenly.

    Args:
        width: width of the result, in pixels.
        height: height of the result, in pixels.
        inter: OpenCV's interpolation flag.
    """

    def __init__(self, width: int, height: int, inter: int = cv2.INTER_AREA) -> None:
        check_size(width=width, height=height)
        self.width, self.height, self.inter = width, height, inter

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        """Return the image as (height, width[, channels]) of its own dtype.

        Args:
            image: ndarray of shape (h, w) or (h, w, channels), uint8 or float32.

        Raises:
            UserError: ``image`` is no image.
        """
        check_image(image, "AspectAwarePreprocessor")
        h, w = image.shape[:2]
        if (h, w) == (self.height, self.width):
            return image
        longest = _MOST_STRETCHED * min(h, w)  # what hangs over is cut off anyway, and must not become huge before
        if max(h, w) > longest:
            top, left = max(0, h - longest) // 2, max(0, w - longest) // 2
            image = image[top : top + longest, left : left + longest]
            h, w = image.shape[:2]
        scale = max(self.width / w, self.height / h)
        new_w, new_h = max(self.width, round(w * scale)), max(self.height, round(h * scale))
        if (new_h, new_w) != (h, w):
            resized = cv2.resize(image, (new_w, new_h), interpolation=self.inter)
            image = with_channels_of(resized, image)
        top, left = (new_h - self.height) // 2, (new_w - self.width) // 2
        return image[top : top + self.height, left : left + self.width]
