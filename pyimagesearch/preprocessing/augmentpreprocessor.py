"""Augment an image: random rotation, shift, shear, zoom and flip in one warp, brightness and colour shift."""

import inspect
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing.affine import Transform, matrix
from pyimagesearch.preprocessing.imagechecks import check_image, with_channels_of

_BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}


class AugmentPreprocessor:
    """Augment images as Keras's ``ImageDataGenerator`` did, with its arguments and their meaning.

    The parameters of an image are drawn, composed into one affine matrix, and the image is warped
    once, with linear interpolation.

    Args:
        rotation_range: largest rotation either way, in degrees.
        width_shift_range: largest shift to either side: a fraction of the width if below 1, else pixels.
        height_shift_range: the same up and down.
        shear_range: largest shear angle either way, in degrees.
        zoom_range: a fraction z for zooms in [1 - z, 1 + z], or the pair (lowest, highest); rows and columns
            are zoomed independently; a zoom below 1 enlarges the content.
        horizontal_flip: mirror a random half of the images.
        vertical_flip: turn a random half of the images upside down.
        brightness_range: None, or the pair (lowest, highest) of the factor on all pixels.
        channel_shift_range: largest number added to, or taken from, all pixels.
        fill_mode: how to fill what lies beyond the border: "nearest", "constant", "reflect" or "wrap".
        cval: the value beyond the border for "constant".

    Raises:
        UserError: an argument is out of its range.
    """

    draws = 10
    """Random numbers per image; fixed, so that changing one range leaves the others' draws alone."""

    def __init__(
        self,
        rotation_range: float = 0,
        width_shift_range: float = 0,
        height_shift_range: float = 0,
        shear_range: float = 0,
        zoom_range: float | Sequence[float] = 0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        brightness_range: Sequence[float] | None = None,
        channel_shift_range: float = 0,
        fill_mode: str = "nearest",
        cval: float = 0,
    ) -> None:
        ranges = {
            "rotation_range": rotation_range,
            "width_shift_range": width_shift_range,
            "height_shift_range": height_shift_range,
            "shear_range": shear_range,
            "channel_shift_range": channel_shift_range,
        }
        for name, value in ranges.items():
            if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
                raise UserError(f"{name}: must be a number, at least 0; received {value!r}")
        if fill_mode not in _BORDERS:
            raise UserError(f"fill_mode: must be one of {', '.join(_BORDERS)}; received {fill_mode!r}")
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.zoom_range = _zoom_limits(zoom_range)
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.brightness_range = _limits("brightness_range", brightness_range or (1, 1), lowest=0)
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self._only_flips = not any(ranges.values()) and self.zoom_range == self.brightness_range == (1, 1)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "AugmentPreprocessor":
        """Make one from a mapping of its arguments.

        Raises:
            UserError: a name is no argument, or a value is out of its range.
        """
        known = list(inspect.signature(cls).parameters)
        unknown = settings.keys() - set(known)
        if unknown:
            raise UserError(
                f"augmentation: must hold arguments of AugmentPreprocessor; received {', '.join(sorted(unknown))}; "
                f"choose among {', '.join(known)}"
            )
        return cls(**settings)

    def draw(self, height: int, width: int, rng: Any = None) -> Transform:
        """Return random parameters for an image of ``height`` x ``width`` pixels.

        Args:
            rng: a ``numpy.random.Generator`` or anything with its ``random(n)``.
        """
        return self._parameters(height, width, (rng or np.random.default_rng()).random(self.draws))

    def _parameters(self, height: int, width: int, u: Any) -> Transform:
        low, high = self.zoom_range
        dark, bright = self.brightness_range
        vertical, horizontal = self.height_shift_range, self.width_shift_range
        return Transform(
            theta=(2 * u[0] - 1) * self.rotation_range,
            tx=(2 * u[1] - 1) * (vertical * height if vertical < 1 else vertical),
            ty=(2 * u[2] - 1) * (horizontal * width if horizontal < 1 else horizontal),
            shear=(2 * u[3] - 1) * self.shear_range,
            zx=low + u[4] * (high - low),
            zy=low + u[5] * (high - low),
            flip_horizontal=self.horizontal_flip and u[6] < 0.5,
            flip_vertical=self.vertical_flip and u[7] < 0.5,
            brightness=dark + u[8] * (bright - dark),
            channel_shift=(2 * u[9] - 1) * self.channel_shift_range,
        )

    def apply(self, image: np.ndarray, transform: Transform, out: np.ndarray | None = None) -> np.ndarray:
        """Return ``image`` transformed, in its own shape and dtype; 8-bit pixels stay in [0, 255]."""
        result = image
        if transform.moves_pixels:
            border = {"borderMode": _BORDERS[self.fill_mode], "borderValue": (self.cval,) * 4}
            result = _warp(image, matrix(transform, *image.shape[:2]), border, out)
        else:
            result = _flip(image, transform.flip_horizontal, transform.flip_vertical, out)
        if transform.brightness != 1.0 or transform.channel_shift != 0.0:
            result = _recolour(result, transform, out)
        return result

    def preprocess(self, image: np.ndarray, rng: Any = None, out: np.ndarray | None = None) -> np.ndarray:
        """Return a randomly transformed copy of ``image``, in its own shape and dtype.

        Args:
            image: ndarray of shape (h, w) or (h, w, channels), uint8 or float32.
            rng: a ``numpy.random.Generator`` or anything with its ``random(n)``; fresh and
                unseeded by default.
            out: where to write the result, if its shape and dtype are those of ``image``.

        Raises:
            UserError: ``image`` is no image.
        """
        check_image(image, "AugmentPreprocessor")
        return self.transform(image, (rng or np.random.default_rng()).random(self.draws), out)

    def transform(self, image: np.ndarray, numbers: Any, out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked, with ``numbers`` in [0, 1)."""
        if self._only_flips:
            flip_horizontal = self.horizontal_flip and numbers[6] < 0.5
            return _flip(image, flip_horizontal, self.vertical_flip and numbers[7] < 0.5, out)
        return self.apply(image, self._parameters(image.shape[0], image.shape[1], numbers), out)


def _warp(image: np.ndarray, inverse: np.ndarray, border: dict[str, Any], out: np.ndarray | None) -> np.ndarray:
    settings = {"dsize": image.shape[1::-1], "flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, **border}
    if image.ndim < 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        return with_channels_of(cv2.warpAffine(image, inverse, dst=out, **settings), image)
    four = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)  # four bytes are warped in three quarters of the time of three
    return cv2.cvtColor(cv2.warpAffine(four, inverse, **settings), cv2.COLOR_BGRA2BGR, dst=out)


def _flip(image: np.ndarray, horizontal: bool, vertical: bool, out: np.ndarray | None) -> np.ndarray:
    if not (horizontal or vertical):
        return image
    axis = 1 if not vertical else -1 if horizontal else 0
    if out is not None:  # reading a row of the file from both ends at once takes twice as long as copying it first
        image = cv2.copyTo(image, None, out)  # type: ignore[call-overload]
    return with_channels_of(cv2.flip(image, axis, dst=out), image)


def _recolour(image: np.ndarray, transform: Transform, out: np.ndarray | None) -> np.ndarray:
    shifted = image.astype(np.float32) * transform.brightness + transform.channel_shift
    if image.dtype == np.uint8:
        shifted = np.rint(shifted).clip(0, 255)
    if out is None:
        return shifted.astype(image.dtype)
    out[...] = shifted
    return out


def _zoom_limits(zoom_range: float | Sequence[float]) -> tuple[float, float]:
    if isinstance(zoom_range, int | float) and 0 <= zoom_range < 1:
        return 1 - zoom_range, 1 + zoom_range
    if np.ndim(zoom_range) == 0:
        raise UserError(
            f"zoom_range: must be a fraction in [0, 1) or a pair (lowest, highest) above 0; received {zoom_range!r}"
        )
    return _limits("zoom_range", zoom_range, lowest=1e-6)  # type: ignore[arg-type]


def _limits(name: str, pair: Sequence[float], lowest: float) -> tuple[float, float]:
    if np.shape(pair) != (2,) or not lowest <= pair[0] <= pair[1]:
        raise UserError(
            f"{name}: must be a pair (lowest, highest) with {lowest} <= lowest <= highest; received {pair!r}"
        )
    return float(pair[0]), float(pair[1])
