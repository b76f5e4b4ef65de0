"""What one image says of itself, decoded no larger than that takes."""

from typing import NamedTuple

import cv2
import numpy as np

from pyimagesearch.building.duplicates import Fingerprint, fingerprint
from pyimagesearch.io.images.decoding import Decoding, decode_image, is_jpeg
from pyimagesearch.io.images.header import is_truncated, jpeg_layout

ENOUGH = 128
"""Pixels of the shorter side that means, fingerprints and thumbnails need.

Of 500 photographs decoded this small, 493 kept all or all but 2 of the 64 bits of their fingerprint's
hash, and none lost more than 6.
"""

_REDUCED = {
    1: {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8},
    3: {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8},
}


class Look(NamedTuple):
    """What there is to know of an image.

    Attributes:
        width, height: in pixels, upright.
        kind: the format of the file by its content, or of what else the image is stored in.
        size: in bytes.
        means: of each channel, blue, green, red or gray, in [0, 255].
        contrast: the largest standard deviation of a channel.
        fingerprint: to find duplicates.
        oddities: what is unusual of the file, by kind.
    """

    width: int
    height: int
    kind: str
    size: int
    means: tuple[float, ...]
    contrast: float
    fingerprint: Fingerprint
    oddities: dict[str, str]


def look_at(data: bytes, image: np.ndarray, width: int, height: int, kind: str, oddities: dict[str, str]) -> Look:
    """Return the look of an image.

    Args:
        data: what is stored of it.
        image: its pixels, perhaps reduced, ndarray of shape (h, w, channels), uint8.
        width, height: its full size.
        kind, oddities: as of `Look`.
    """
    image = colours(image)
    means, deviations = cv2.meanStdDev(image)
    return Look(
        width, height, kind, len(data), tuple(means[:, 0].tolist()), float(deviations.max()),
        fingerprint(data, image), oddities,
    )  # fmt: skip


def colours(image: np.ndarray) -> np.ndarray:
    """Return the blue, green and red channels of an image, or the gray one if there are fewer than three."""
    return np.ascontiguousarray(image[..., :3] if image.shape[2] >= 3 else image[..., :1])


def decode_small(data: bytes, path: str, decoding: Decoding) -> np.ndarray:
    """Return the pixels of an image, a JPEG one reduced to what `ENOUGH` asks for.

    A JPEG decoder that is asked for an eighth of an image skips most of its work.

    Raises:
        UnreadableImageError: `decode_image` refuses the image.
    """
    size = jpeg_layout(data)[1] if is_jpeg(data) and not is_truncated(data) else None
    flags = _REDUCED.get(decoding.channels, {})
    if size is not None and "jpeg" in decoding.formats and size[0] * size[1] <= decoding.max_pixels:
        scale = next((scale for scale in (8, 4, 2) if min(size) // scale >= ENOUGH), 1)
        if scale in flags:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags[scale])
            if image is not None:
                return image if image.ndim == 3 else image[:, :, None]
    return decode_image(data, path, decoding)  # which also says what is wrong
