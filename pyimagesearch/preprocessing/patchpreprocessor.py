"""Cut a random window out of an image, for training."""

from typing import Any

import numpy as np

from pyimagesearch.preprocessing.imagechecks import check_fits, check_size


class PatchPreprocessor:
    """Cut a random window; every position is equally likely (Krizhevsky et al., 2012, section 4.1).

    Args:
        width: width of the window, in pixels.
        height: height of the window, in pixels.
    """

    draws = 2
    """Random numbers per image."""

    def __init__(self, width: int, height: int) -> None:
        check_size(width=width, height=height)
        self.width, self.height = width, height

    def preprocess(self, image: np.ndarray, rng: Any = None) -> np.ndarray:
        """Return a view of shape (height, width[, channels]) into ``image``.

        Args:
            image: ndarray of shape (h, w) or (h, w, channels), any dtype.
            rng: a ``numpy.random.Generator`` or anything with its ``random(n)``; fresh and
                unseeded by default.

        Raises:
            UserError: the window is larger than the image.
        """
        check_fits(image, self.width, self.height, "PatchPreprocessor")
        return self.transform(image, (rng or np.random.default_rng()).random(self.draws), None)

    def transform(self, image: np.ndarray, numbers: Any, out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked, with ``numbers`` in [0, 1); ``out`` is not used."""
        h, w = image.shape[:2]
        top = int(numbers[0] * (h - self.height + 1))
        left = int(numbers[1] * (w - self.width + 1))
        return image[top : top + self.height, left : left + self.width]
