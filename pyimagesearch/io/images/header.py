"""Read the format and the size of an image from its first bytes, before anything is decoded."""

import functools
import io
import threading
import warnings
from typing import Any

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"

_SIGNATURES = {
    "jpeg": (JPEG,),
    "png": (PNG,),
    "gif": (b"GIF87a", b"GIF89a"),
    "bmp": (b"BM",),
    "tiff": (b"II*\x00", b"MM\x00*"),
    "webp": (b"RIFF",),
}
_BRANDS = {"avif": (b"avif", b"avis"), "heif": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")}
FORMATS = (*_SIGNATURES, *_BRANDS)
PHONE_FORMATS = tuple(_BRANDS)
"""Formats that Pillow decodes instead of OpenCV."""

_NOT_FRAMES = (0xC4, 0xC8, 0xCC)  # JPEG markers among those of frames: Huffman tables, JPG, arithmetic conditioning
_warnings_are_off = threading.Lock()  # switching them off affects the whole process, so one thread at a time


def image_format(data: bytes) -> str | None:
    """Return the one of `FORMATS` that the first bytes of a file belong to, or None."""
    found = next((name for name, starts in _SIGNATURES.items() if data.startswith(starts)), None)
    if found is None and data[4:8] == b"ftyp":  # a box that lists brands, the main one first
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = [data[start : start + 4] for start in (8, *range(16, end, 4))]
        return next((name for name, known in _BRANDS.items() if not set(known).isdisjoint(brands)), None)
    return found


@functools.cache
def register_heif() -> bool:
    """Let Pillow read HEIF files; return whether it can."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def image_size(data: Any) -> tuple[int, int] | None:
    """Return (width, height) in pixels from the header, or None if there is no readable header.

    Args:
        data: the file, as bytes or a view of bytes.
    """
    if bytes(data[:3]) == JPEG:
        return jpeg_layout(data)[1]
    if bytes(data[:8]) == PNG:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    from PIL import Image, UnidentifiedImageError

    if bytes(data[4:8]) == b"ftyp":
        register_heif()
    with _warnings_are_off, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                return image.size
        except Image.DecompressionBombError:
            return 2**31, 2**31
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, OverflowError):
            return None


def jpeg_layout(data: Any) -> tuple[int, tuple[int, int] | None]:
    """Return the offset of a JPEG's scan, or -1, and its (width, height), or None.

    Segments are skipped by their lengths, so that a thumbnail inside one is not mistaken for the image.
    """
    position, size = 2, None
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:
            return position, size
        if marker == 0xFF:  # padding
            position += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # no length follows
            position += 2
        else:
            if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
                height = int.from_bytes(data[position + 5 : position + 7], "big")
                size = int.from_bytes(data[position + 7 : position + 9], "big"), height
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return -1, size


def is_truncated(data: bytes) -> bool:
    """Return whether a JPEG or PNG stops before its end mark; the decoder notices it in other formats."""
    if data.startswith(JPEG):
        scan, _ = jpeg_layout(data)
        return scan < 0 or data.rfind(b"\xff\xd9", scan) < 0
    if data.startswith(PNG):
        return b"IEND" not in data[-64:] and b"IEND\xaeB`\x82" not in data
    return False


def without_animation(data: bytes) -> bytes:
    """Return an animated PNG as the still image that it holds; OpenCV would give a black canvas."""
    if not data.startswith(PNG) or b"acTL" not in data:
        return data
    chunks, position = [PNG], len(PNG)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if data[position + 4 : position + 8] not in (b"acTL", b"fcTL", b"fdAT"):
            chunks.append(data[position:end])
        position = end
    return b"".join(chunks)
