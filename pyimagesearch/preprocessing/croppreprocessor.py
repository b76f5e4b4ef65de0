"""Cut the ten crops of an image whose predictions are averaged."""

from collections.abc import Sequence

import cv2
import numpy as np

from pyimagesearch.preprocessing.imagechecks import check_fits, check_size


class CropPreprocessor:
    """Cut the four corners and the centre, and mirror them: ten crops (Krizhevsky et al., 2012).

    Every crop has exactly the requested size, so nothing is ever resized.

    Args:
        width: width of a crop, in pixels.
        height: height of a crop, in pixels.
        horiz: whether to add the mirror images: ten crops instead of five.
        inter: not used; the book resized uneven crops with it.
    """

    def __init__(self, width: int, height: int, horiz: bool = True, inter: int = cv2.INTER_AREA) -> None:
        check_size(width=width, height=height)
        self.width, self.height, self.horiz, self.inter = width, height, horiz, inter

    def preprocess(self, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the crops: corners clockwise from top left, centre, then their mirror images.

        Args:
            image: ndarray of shape (h, w) or (h, w, channels), any dtype.
            out: where to write the result, if its shape and dtype are those of the result.

        Returns:
            ndarray of shape (10 or 5, height, width[, channels]), dtype of ``image``.

        Raises:
            UserError: a crop is larger than the image.
        """
        check_fits(image, self.width, self.height, "CropPreprocessor")
        return self.transform(image, (), out)

    def transform(self, image: np.ndarray, numbers: Sequence[float], out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked; ``numbers`` are not used."""
        bottom, right = image.shape[0] - self.height, image.shape[1] - self.width
        corners = ((0, 0), (0, right), (bottom, right), (bottom, 0), (bottom // 2, right // 2))
        shape = (self.height, self.width, *image.shape[2:])
        crops = np.empty((10 if self.horiz else 5, *shape), image.dtype) if out is None else out
        for crop, (top, left) in zip(crops, corners, strict=False):
            crop[...] = image[top : top + self.height, left : left + self.width]
        if self.horiz:
            crops[5:] = crops[:5, :, ::-1]
        return crops


def size_around(width: int, height: int) -> tuple[int, int]:
    """Return the size of an image to cut crops of a size from: as 256 is to 227 (Krizhevsky et al., 2012)."""
    return round(width * 256 / 227), round(height * 256 / 227)
