"""Decode one image file into upright 8-bit pixels, or say why it is unreadable.

OpenCV recognises a format by the file's content, turns the image upright by its EXIF tag, and converts gray, palette,
16-bit and CMYK pixels. It accepts a truncated JPEG or PNG without a word and shows whatever colour lies under
transparent pixels; this module refuses the former and lays the latter over white. HEIF and AVIF files, which phones
write, are decoded by Pillow, with its plugin pillow-heif.
"""

import io
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.header import (
    FORMATS,
    JPEG,
    PHONE_FORMATS,
    PNG,
    image_format,
    image_size,
    is_truncated,
    without_animation,
)
from pyimagesearch.io.images.remotefolder import RemoteFile

MAX_PIXELS = 2**27
"""Most pixels of an image; larger ones are refused before they are decoded."""

_FLAGS = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR}
_WITH_ALPHA = (PNG, b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*")
_DEEP = (PNG, b"II*\x00", b"MM\x00*")  # formats that may store more than 8 bits


class UnreadableImageError(UserError):
    """An image file cannot be turned into pixels.

    Attributes:
        path: the file.
        reason: why, in a few words.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        self.path, self.reason = os.fspath(path), reason
        super().__init__(f"image: {self.path} cannot be read: {reason}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.path, self.reason)


class Decoding(NamedTuple):
    """Rules for image files: which to accept, and how many channels to return.

    Attributes:
        channels: 3 for BGR, 1 for gray; any other number accepts only files with exactly that many.
        max_pixels: larger images are refused before they are decoded.
        formats: accepted ones of `FORMATS`; a file's content tells its format, not its name.
        max_value: value of images of more than 8 bits that becomes 255, such as 4095 for 12 bits; None for the largest
            that the file could store.
    """

    channels: int = 3
    max_pixels: int = MAX_PIXELS
    formats: Sequence[str] = FORMATS
    max_value: int | None = None

    def check(self) -> "Decoding":
        """Return itself, or raise a `UserError` if a rule makes no sense."""
        if set(self.formats) - set(FORMATS) or not self.formats:
            raise UserError(
                f"formats: must be some of {', '.join(FORMATS)}; received {', '.join(self.formats) or 'none'}"
            )
        if self.channels not in (1, 3):
            raise UserError(
                f"channels: must be 3 for colour or 1 for gray; received {self.channels}; `HDF5DatasetWriter` stores "
                "others, for a training of your own"
            )
        for name, value in (("max_pixels", self.max_pixels), ("max_value", self.max_value)):
            if value is not None and value < 1:
                raise UserError(f"{name}: must be at least 1; received {value}")
        return self


ANY_COLOUR_IMAGE = Decoding()


def read_image(path: str | os.PathLike[str], decoding: Decoding = ANY_COLOUR_IMAGE) -> np.ndarray:
    """Read the pixels of an image file; transparent ones are laid over white.

    Returns:
        ndarray of shape (h, w, channels), uint8, upright.

    Raises:
        UnreadableImageError: the file is missing, empty, truncated, too large, or of a format that is not accepted.
    """
    return decode_image(read_file(path), path, decoding)


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Read the bytes of an image file on this machine, or of a `RemoteFile`, in one call.

    Raises:
        UnreadableImageError: the file is missing or cannot be opened.
        StorageError: a remote storage does not answer.
    """
    try:
        if isinstance(path, RemoteFile):
            return path.read()
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except OSError as error:
        raise UnreadableImageError(path, error.strerror or "it cannot be opened") from error


def read_files(paths: Sequence[str | os.PathLike[str]]) -> Iterator[bytes]:
    """Yield the bytes of image files of one folder, in order; those of a `RemoteFolder` are requested concurrently.

    Raises:
        UnreadableImageError, StorageError: see `read_file`; raised when the file's turn comes.
    """
    if paths and isinstance(paths[0], RemoteFile):
        return paths[0].parent.map(read_file, paths)
    return map(read_file, paths)


def decode_image(
    data: bytes, path: str | os.PathLike[str] = "the bytes", decoding: Decoding = ANY_COLOUR_IMAGE
) -> np.ndarray:
    """Decode the bytes of an image file; see `read_image`.

    Args:
        data: the whole file.
        path: its name, for error messages.

    Raises:
        UnreadableImageError: the bytes are not a complete image.
    """
    if not data:
        raise UnreadableImageError(path, "the file is empty (0 bytes)")
    kind = image_format(data)
    if kind is not None and kind not in decoding.formats:
        raise UnreadableImageError(path, f"it is of the format {kind}; accepted are {', '.join(decoding.formats)}")
    if is_truncated(data):
        raise UnreadableImageError(path, "the file ends before the image does (truncated)")
    size = None if kind is None else image_size(data)
    if size is None and kind in PHONE_FORMATS:
        raise UnreadableImageError(
            path, f'it is {kind.upper()}, which Pillow cannot read here, or damaged: pip install "pyimagesearch[heif]"'
        )
    if size is None:  # OpenCV knows more formats, which FORMATS leaves out
        raise UnreadableImageError(path, "its content is no image that OpenCV can decode")
    if size[0] * size[1] > decoding.max_pixels:
        raise UnreadableImageError(
            path, f"it has {size[0]:,} x {size[1]:,} pixels, more than {decoding.max_pixels:,} in all"
        )
    try:
        image = _by_pillow(data, decoding.channels) if kind in PHONE_FORMATS else _by_opencv(data, decoding)
    except cv2.error as error:
        raise UnreadableImageError(path, f"OpenCV refuses it ({error.err or error.code})") from error
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        raise UnreadableImageError(path, f"Pillow refuses it ({error})") from error
    if image is None:
        raise UnreadableImageError(path, "its content is no image that OpenCV can decode")
    if image.ndim == 2:
        image = image[:, :, None]
    if image.shape[2] != decoding.channels:
        raise UnreadableImageError(path, f"it has {image.shape[2]} channels instead of {decoding.channels}")
    return image if image.dtype == np.uint8 else _eight_bit(image, decoding.max_value)


def _by_opencv(data: bytes, decoding: Decoding) -> np.ndarray | None:
    encoded = np.frombuffer(without_animation(data), np.uint8)
    flags = _FLAGS.get(decoding.channels)
    if flags is None:
        return cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if decoding.max_value is not None and data.startswith(_DEEP):  # else OpenCV scales the full range
        flags |= cv2.IMREAD_ANYDEPTH
    image = cv2.imdecode(encoded, flags)
    if image is not None and image.dtype != np.uint8:
        image = _eight_bit(image, decoding.max_value)
    if image is not None and data.startswith(_WITH_ALPHA):
        image = _over_white(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), image)
    return image


def _by_pillow(data: bytes, channels: int) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as opened:
        pixels = np.asarray(ImageOps.exif_transpose(opened).convert("RGBA"))
    image = cv2.cvtColor(pixels, {1: cv2.COLOR_RGBA2GRAY, 4: cv2.COLOR_RGBA2BGRA}.get(channels, cv2.COLOR_RGBA2BGR))
    return _over_white(pixels, image) if channels != 4 and pixels[..., 3].min() < 255 else image


def largest_value(data: bytes) -> int:
    """Return the largest value of an image that stores more than 8 bits a channel as whole numbers; 0 for others."""
    if not data.startswith(_DEEP) or is_truncated(data):
        return 0
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return 0
    if image is None or image.dtype != np.uint16:
        return 0
    return int(np.atleast_3d(image)[..., :3].max())  # not of the alpha channel


def range_of(largest: int) -> int:
    """Return the largest value of as many bits as ``largest`` takes, from 9 to 15; 0 where 8 or 16 bits are right."""
    value: int = 2 ** largest.bit_length() - 1
    return value if 255 < value < 65535 else 0


def is_jpeg(data: bytes) -> bool:
    """Return whether the bytes begin as a JPEG file does."""
    return data.startswith(JPEG)


def _over_white(unchanged: np.ndarray | None, image: np.ndarray) -> np.ndarray:
    if unchanged is None or unchanged.ndim != 3 or unchanged.shape[2] != 4:
        return image
    if unchanged.shape[:2] != image.shape[:2]:
        return image
    alpha = unchanged[:, :, 3:].astype(np.float32) / np.iinfo(unchanged.dtype).max
    pixels = image if image.ndim == 3 else image[:, :, None]
    return np.rint(pixels * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _eight_bit(image: np.ndarray, max_value: int | None) -> np.ndarray:
    """Scale [0, ``max_value``], by default the range of the dtype, or [0, 1] of floats, to [0, 255] and round."""
    scale = 255 if image.dtype.kind == "f" else 255 / (max_value or np.iinfo(image.dtype).max)
    return np.rint(image * scale).clip(0, 255).astype(np.uint8)
