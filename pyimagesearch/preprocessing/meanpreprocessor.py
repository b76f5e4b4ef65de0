"""Subtract the mean colour of the training images."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.utils.booknames import accepts_book_names

_FAST = (np.uint8, np.float32)


class MeanPreprocessor:
    """Subtract the training images' mean of each colour from BGR images.

    Args:
        r_mean, g_mean, b_mean: means of the red, green and blue channel, in [0, 255].
    """

    @accepts_book_names
    def __init__(self, r_mean: float, g_mean: float, b_mean: float) -> None:
        self.r_mean, self.g_mean, self.b_mean = float(r_mean), float(g_mean), float(b_mean)
        means = np.array((self.b_mean, self.g_mean, self.r_mean), np.float32)
        self._scalar: Any = (*means.tolist(), 0.0)
        self._gray_mean = np.float32(0.299 * self.r_mean + 0.587 * self.g_mean + 0.114 * self.b_mean)

    def preprocess(self, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return ``image`` minus the means, as float32 of the same shape.

        Args:
            image: ndarray of shape (h, w, 3) or (n, h, w, 3), any real dtype, channels in the
                order BGR; or gray, of shape (h, w) or (h, w, 1): then the mean of gray is that of
                the three colours, weighted as OpenCV weights them.
            out: where to write the result, if its shape is ``image.shape`` and its dtype float32.

        Raises:
            UserError: the last axis does not hold three channels.
        """
        shape: tuple[int, ...] = getattr(image, "shape", ())
        gray = len(shape) in (2, 3) and (len(shape) == 2 or shape[-1] == 1)
        if not gray and (len(shape) not in (3, 4) or shape[-1] != 3):
            raise UserError(
                "image: MeanPreprocessor needs shape (height, width, 3) or (n, height, width, 3), "
                f"BGR; received {f'shape {shape}' if shape else type(image).__name__}"
            )
        return self.transform(image, (), out)

    def transform(self, image: np.ndarray, numbers: Sequence[float], out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked; ``numbers`` are not used."""
        if out is None:
            out = np.empty(image.shape, np.float32)
        if image.ndim == 2 or image.shape[-1] == 1:
            np.subtract(image, self._gray_mean, out=out, casting="unsafe", dtype=np.float32)
        elif image.dtype in _FAST and image.ndim == 3:
            cv2.subtract(image, self._scalar, dst=out, dtype=cv2.CV_32F)
        elif image.dtype in _FAST and image.flags.c_contiguous and out.flags.c_contiguous:
            tall = (-1, image.shape[-2], 3)  # OpenCV knows no batches: stack the images into a tall one
            cv2.subtract(image.reshape(tall), self._scalar, dst=out.reshape(tall), dtype=cv2.CV_32F)
        else:
            means = np.array(self._scalar[:3], np.float32)
            np.subtract(image, means, out=out, casting="unsafe", dtype=np.float32)
        return out
