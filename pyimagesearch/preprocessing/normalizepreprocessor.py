"""Give pixels the channel order and the scale that a network was trained with."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing.imagechecks import check_image

_FAST = (np.uint8, np.float32)
_ORDERS = ("BGR", "RGB")
_GRAY = {"R": 0.299, "G": 0.587, "B": 0.114}


class NormalizePreprocessor:
    """Subtract a mean from each colour, divide by its deviation, and order the channels.

    Args:
        means: of each colour, keyed "R", "G", "B", in [0, 255].
        deviations: of each colour, keyed the same, above 0.
        color_order: order of the result's channels, "BGR" or "RGB".
        data_order: order of the image's channels.

    Raises:
        UserError: a colour is missing, a deviation is not above 0, or an order is neither "BGR" nor "RGB".
    """

    def __init__(
        self,
        means: Mapping[str, float],
        deviations: Mapping[str, float],
        color_order: str,
        data_order: str = "BGR",
    ) -> None:
        _check_colors("means", means, lowest=-np.inf)
        _check_colors("deviations", deviations, lowest=0)
        for name, order in (("color_order", color_order), ("data_order", data_order)):
            if order not in _ORDERS:
                raise UserError(f'{name}: must be "BGR" or "RGB"; received {order!r}')
        self.means, self.deviations = dict(means), dict(deviations)
        self.color_order, self.data_order = color_order, data_order
        self._means: Any = (*(float(means[color]) for color in color_order), 0.0)
        factors = [1 / float(deviations[color]) for color in color_order]
        self._factors: Any = (*factors, 0.0)
        self._factor = np.float32(factors[0]) if len(set(factors)) == 1 else None
        self._gray_mean = np.float32(sum(_GRAY[color] * means[color] for color in "RGB"))
        self._gray_factor = np.float32(1 / sum(_GRAY[color] * deviations[color] for color in "RGB"))

    def preprocess(self, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the normalised image, float32, of the same shape.

        Args:
            image: ndarray of shape (h, w, 3) or (n, h, w, 3), any real dtype, channels in
                ``data_order``; or gray, of shape (h, w) or (h, w, 1): then mean and deviation of gray are
                those of the three colours, weighted as OpenCV weights them.
            out: where to write the result, if its shape is ``image.shape`` and its dtype float32.

        Raises:
            UserError: the last axis does not hold three channels.
        """
        if getattr(image, "ndim", 0) != 4:
            check_image(image, "NormalizePreprocessor")
        if image.ndim > 2 and image.shape[-1] not in (1, 3):
            raise UserError(
                "image: NormalizePreprocessor needs shape (height, width, 3) or (n, height, width, 3), "
                f"{self.data_order}; received shape {image.shape}"
            )
        return self.transform(image, (), out)

    def transform(self, image: np.ndarray, numbers: Sequence[float], out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked; ``numbers`` are not used."""
        if out is None:
            out = np.empty(image.shape, np.float32)
        if image.ndim == 4:
            for each, place in zip(image, out, strict=True):  # one image stays in the processor's cache
                self.transform(each, (), place)
            return out
        if image.ndim == 2 or image.shape[2] == 1:
            np.subtract(image, self._gray_mean, out=out, casting="unsafe", dtype=np.float32)
            return np.multiply(out, self._gray_factor, out=out)
        if image.dtype not in _FAST:
            image = image.astype(np.float32)
        if self.color_order != self.data_order:
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        cv2.subtract(image, self._means, dst=out, dtype=cv2.CV_32F)
        if self._factor is None:
            cv2.multiply(out, self._factors, dst=out)
        elif self._factor != 1:
            np.multiply(out, self._factor, out=out)
        return out


def _check_colors(name: str, values: Mapping[str, float], lowest: float) -> None:
    numbers = [values.get(color) for color in "RGB"] if isinstance(values, Mapping) else [None]
    if not all(isinstance(n, int | float | np.number) and lowest < n < np.inf for n in numbers):
        rule = "finite numbers" if lowest < 0 else f"finite numbers above {lowest:g}"
        raise UserError(f"{name}: must be {rule} for R, G and B; received {values!r}")
