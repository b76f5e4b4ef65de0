"""Look at one image: size, colours, fingerprint, and what is unusual of its file."""

import io
import os
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from pyimagesearch.building.duplicates import Fingerprint, fingerprint
from pyimagesearch.io.images.decoding import Decoding, decode_image, is_jpeg
from pyimagesearch.io.images.header import image_format, is_truncated, jpeg_layout

ENOUGH = 128
"""Shorter side in pixels that suffices for means, fingerprints and thumbnails.

Of 500 photographs decoded this small, 493 kept all or all but 2 of the 64 bits of their fingerprint's
hash, and none lost more than 6.
"""

ODDITIES = {
    "misnamed": "suffix of another format",
    "rotated": "turned upright by an EXIF tag",
    "cmyk": "CMYK colours",
    "alpha": "transparent",
    "gray": "gray among colour images",
    "deep": "more than 8 bits a channel",
    "frames": "several frames, of which the first is used",
    "narrow": "longer than 4 times its width, or wider than 4 times its height",
    "blank": "one colour all over",
}
"""Kinds of oddities, and their meaning."""

ASPECT_LIMIT = 4

_SUFFIXES = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif"), "tiff": (".tif", ".tiff"), "bmp": (".bmp", ".dib"),
    "heif": (".heic", ".heif", ".hif"),
}  # fmt: skip
_ORIENTATION, _BITS_PER_SAMPLE = 0x0112, 0x0102  # EXIF and TIFF tags
_SEVERAL_FRAMES = ("GIF", "PNG", "WEBP", "TIFF")
_REDUCED = {
    1: {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8},
    3: {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8},
}


@dataclass(frozen=True)
class Look:
    """Facts about one image.

    Attributes:
        width, height: in pixels, upright.
        kind: format of the file by its content, or encoding and dtype of a row.
        size: in bytes.
        means: of each channel, blue, green, red or gray, in [0, 255].
        contrast: the largest standard deviation of a channel.
        fingerprint: to find duplicates by.
        oddities: details by kind, a key of `ODDITIES`.
        largest: the largest value of an image of 16 bits; 0 for others.
    """

    width: int
    height: int
    kind: str
    size: int
    means: tuple[float, ...]
    contrast: float
    fingerprint: Fingerprint
    oddities: dict[str, str]
    largest: int = 0


def look_at(
    data: bytes, image: np.ndarray, width: int, height: int, kind: str, oddities: dict[str, str], largest: int = 0
) -> Look:
    """Compute the `Look` of an image.

    Args:
        data: its bytes as stored.
        image: its pixels, perhaps reduced, ndarray of shape (h, w, channels), uint8.
        width, height: its full size.
        kind, oddities, largest: as of `Look`.
    """
    image = colours(image)
    means, deviations = cv2.meanStdDev(image)
    return Look(
        width, height, kind, len(data), tuple(means[:, 0].tolist()), float(deviations.max()),
        fingerprint(data, image), oddities, largest,
    )  # fmt: skip


def colours(image: np.ndarray) -> np.ndarray:
    """Return the blue, green and red channels of an image, or the gray one if there are fewer than three."""
    return np.ascontiguousarray(image[..., :3] if image.shape[2] >= 3 else image[..., :1])


def decode_small(data: bytes, path: str, decoding: Decoding) -> np.ndarray:
    """Decode an image, a JPEG one at the smallest scale (1/8, 1/4, 1/2 or 1) that leaves `ENOUGH` pixels.

    At an eighth of the size a JPEG decoder skips most of its work.

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
    return decode_image(data, path, decoding)  # raises the error that names the fault


def find_oddities(data: bytes, path: str) -> tuple[tuple[int, int] | None, dict[str, str]]:
    """Return the upright size (width, height) in pixels of a readable image file, and its oddities.

    Pillow warns of some files; the caller silences that, since filters of warnings are not thread-safe.

    Args:
        data: the whole file.
        path: its name.

    Returns:
        The size, None if Pillow does not know it, and details by kind, a key of `ODDITIES`.
    """
    kind = image_format(data) or "unknown"
    suffix = os.path.splitext(path)[1].lower()
    found = {} if suffix in _SUFFIXES.get(kind, (f".{kind}",)) else {"misnamed": f"is {kind}"}
    try:
        with Image.open(io.BytesIO(data)) as image:
            bands, mode = image.getbands(), image.mode
            size = image.size
            turn = image.getexif().get(_ORIENTATION, 1)
            if turn in range(2, 9):
                found["rotated"] = f"EXIF orientation {turn}"
                size = size[::-1] if turn >= 5 else size
            if mode == "CMYK":
                found["cmyk"] = "CMYK"
            if "A" in bands or "transparency" in image.info:
                found["alpha"] = "alpha channel" if "A" in bands else "transparent colour"
            if mode in ("1", "L", "LA", "I", "F") or mode.startswith("I;"):
                found["gray"] = "gray"
            bits = _bits(data, kind, image)
            if bits > 8:
                found["deep"] = f"{bits} bits"
            if image.format in _SEVERAL_FRAMES and getattr(image, "is_animated", False):
                found["frames"] = f"{getattr(image, 'n_frames', 2)} frames"
    except (OSError, ValueError, SyntaxError, OverflowError, Image.DecompressionBombError):
        return None, found  # OpenCV reads the pixels; Pillow need not know the file
    return size, found


def _bits(data: bytes, kind: str, image: Image.Image) -> int:
    """Return the bits of a channel as stored; Pillow's modes hide those of 16-bit colours."""
    if kind == "png":
        return data[24]
    if kind == "tiff":
        stored = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 8)
        return max(stored) if isinstance(stored, tuple) else int(stored)
    return 8
