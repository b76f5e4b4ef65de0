"""What is unusual of an image file: things that are dealt with, and should still be known."""

import io
import os

from PIL import Image

from pyimagesearch.io.images.header import image_format

ODDITIES = {
    "misnamed": "suffix is not that of the format",
    "rotated": "turned upright by an EXIF tag",
    "cmyk": "CMYK colours",
    "alpha": "transparent",
    "gray": "gray among colour images",
    "deep": "more than 8 bits a channel",
    "frames": "several frames, of which the first is taken",
    "narrow": "longer than 4 times its width, or wider than 4 times its height",
    "blank": "one colour all over",
}
"""Kinds of oddities, with what they mean."""

ASPECT_LIMIT = 4

_SUFFIXES = {"jpeg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff")}
_ORIENTATION, _BITS_PER_SAMPLE = 0x0112, 0x0102  # EXIF and TIFF tags
_SEVERAL_FRAMES = ("GIF", "PNG", "WEBP", "TIFF")


def find_oddities(data: bytes, path: str) -> tuple[tuple[int, int] | None, dict[str, str]]:
    """Return the upright size (width, height) in pixels of a readable image file, and what is odd of it.

    Pillow warns of some files; callers silence that, as only one thread at a time may.

    Args:
        data: the file.
        path: its name.

    Returns:
        The size, None if Pillow does not know it, and the oddities: details by kind, of `ODDITIES`.
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
        return None, found  # OpenCV can read it, and that is what counts
    return size, found


def _bits(data: bytes, kind: str, image: Image.Image) -> int:
    """Return the bits of a channel as stored; Pillow's modes hide those of 16-bit colours."""
    if kind == "png":
        return data[24]
    if kind == "tiff":
        stored = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 8)
        return max(stored) if isinstance(stored, tuple) else int(stored)
    return 8
