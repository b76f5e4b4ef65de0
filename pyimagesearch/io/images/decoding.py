"""Decode one image file into upright 8-bit pixels, or say why it is unreadable.

OpenCV recognises a format by the file's content, turns the image upright by its EXIF tag, and converts gray, palette,
16-bit and CMYK pixels. It accepts a truncated JPEG or PNG without a word and shows whatever colour lies under
transparent pixels; this module refuses the former and lays the latter over white.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.header import FORMATS, JPEG, PNG, image_format, image_size, is_truncated, without_animation
from pyimagesearch.io.images.remotefolder import RemoteFile

MAX_PIXELS = 2**27
"""Most pixels of an image; larger ones are refused before they are decoded."""

_FLAGS = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR}
_WITH_ALPHA = (PNG, b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*")


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
    """

    channels: int = 3
    max_pixels: int = MAX_PIXELS
    formats: Sequence[str] = FORMATS

    def check(self) -> "Decoding":
        """Return itself, or raise a `UserError` if a rule makes no sense."""
        if set(self.formats) - set(FORMATS) or not self.formats:
            raise UserError(
                f"formats: must be some of {', '.join(FORMATS)}; received {', '.join(self.formats) or 'none'}"
            )
        for name, value in (("channels", self.channels), ("max_pixels", self.max_pixels)):
            if value < 1:
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
    channels, max_pixels, formats = decoding
    kind = image_format(data)
    if kind is not None and kind not in formats:
        raise UnreadableImageError(path, f"it is of the format {kind}; accepted are {', '.join(formats)}")
    if is_truncated(data):
        raise UnreadableImageError(path, "the file ends before the image does (truncated)")
    size = None if kind is None else image_size(data)
    if size is None:  # OpenCV knows more formats, which FORMATS leaves out
        raise UnreadableImageError(path, "its content is no image that OpenCV can decode")
    if size[0] * size[1] > max_pixels:
        raise UnreadableImageError(path, f"it has {size[0]:,} x {size[1]:,} pixels, more than {max_pixels:,} in all")
    encoded = np.frombuffer(without_animation(data), np.uint8)
    try:
        image = cv2.imdecode(encoded, _FLAGS.get(channels, cv2.IMREAD_UNCHANGED))
        if image is not None and channels in _FLAGS and data.startswith(_WITH_ALPHA):
            image = _over_white(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), image)
    except cv2.error as error:
        raise UnreadableImageError(path, f"OpenCV refuses it ({error.err or error.code})") from error
    if image is None:
        raise UnreadableImageError(path, "its content is no image that OpenCV can decode")
    if image.ndim == 2:
        image = image[:, :, None]
    if image.shape[2] != channels:
        raise UnreadableImageError(path, f"it has {image.shape[2]} channels instead of {channels}")
    return image if image.dtype == np.uint8 else _eight_bit(image)


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


def _eight_bit(image: np.ndarray) -> np.ndarray:
    """Scale the full range of an integer dtype, or [0, 1] of floats, to [0, 255] and round."""
    scale = 255 if image.dtype.kind == "f" else 255 / np.iinfo(image.dtype).max
    return np.rint(image * scale).clip(0, 255).astype(np.uint8)
