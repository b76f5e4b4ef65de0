"""Compose one affine map of a random rotation, shift, shear, zoom and flip.

Conventions are those of the ``ImageDataGenerator`` of Keras 2, so that its arguments keep their meaning: the
map leads from the result's (row, column) to the source's, about the image's centre, and is composed as
rotation x shift x shear x zoom; flips come after it.
"""

from math import cos, radians, sin
from typing import NamedTuple

import numpy as np


class Transform(NamedTuple):
    """Random parameters of one image.

    Attributes:
        theta: rotation, in degrees.
        tx, ty: shift along the rows and along the columns, in pixels.
        shear: shear angle, in degrees.
        zx, zy: zoom along the rows and along the columns; below 1 the content grows.
        flip_horizontal, flip_vertical: whether the result is mirrored.
        brightness: factor on every pixel.
        channel_shift: added to every pixel.
    """

    theta: float = 0.0
    tx: float = 0.0
    ty: float = 0.0
    shear: float = 0.0
    zx: float = 1.0
    zy: float = 1.0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    brightness: float = 1.0
    channel_shift: float = 0.0

    @property
    def moves_pixels(self) -> bool:
        """True if the geometry changes by more than flips."""
        return self[:6] != (0.0, 0.0, 0.0, 0.0, 1.0, 1.0)


def matrix(transform: Transform, height: int, width: int) -> np.ndarray:
    """Return the map from result to source for ``cv2.warpAffine`` with ``WARP_INVERSE_MAP``.

    Returns:
        ndarray of shape (2, 3), float64, acting on (x, y, 1).
    """
    theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical, *_ = transform
    c, s = cos(radians(theta)), sin(radians(theta))
    shear_sin, shear_cos = sin(radians(shear)), cos(radians(shear))
    rr, rc = c * zx, -(c * shear_sin + s * shear_cos) * zy
    cr, cc = s * zx, (c * shear_cos - s * shear_sin) * zy
    middle_r, middle_c = (height - 1) / 2, (width - 1) / 2
    offset_r = middle_r - rr * middle_r - rc * middle_c + c * tx - s * ty
    offset_c = middle_c - cr * middle_r - cc * middle_c + s * tx + c * ty
    if flip_horizontal:
        offset_r, offset_c = offset_r + rc * (width - 1), offset_c + cc * (width - 1)
        rc, cc = -rc, -cc
    if flip_vertical:
        offset_r, offset_c = offset_r + rr * (height - 1), offset_c + cr * (height - 1)
        rr, cr = -rr, -cr
    return np.array(((cc, cr, offset_c), (rc, rr, offset_r)))
