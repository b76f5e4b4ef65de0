"""Axes of stored arrays: find the row, the height, the width and the channel.

The axes of an array are written as letters in the order in which they are stored: n rows, h height, w width,
c channels; d for the values of a flattened row. "nchw" has its channels first.
"""

from dataclasses import dataclass

import numpy as np

from pyimagesearch.errors import UnrecognisedError

CHANNELS = (1, 3, 4)
"""How many channels an image has whose channels are its last axis."""
_FIRST = (1, 3)
_INTERLACED = {"INTERLACE_PIXEL": "hwc", "INTERLACE_LINE": "hcw", "INTERLACE_PLANE": "chw"}


@dataclass(frozen=True)
class Axes:
    """The axes of a stored array, and how it becomes images (n, h, w, c) or vectors (n, d).

    Attributes:
        letters: the stored axes in order.
        unfolded: the sides of a flattened row's image in the order of its values, with their letters; or ().
    """

    letters: str
    unfolded: tuple[tuple[str, int], ...] = ()

    @property
    def row(self) -> int:
        """The axis of the rows."""
        return self.letters.index("n")

    def shape(self, stored: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape (n, h, w, c) or (n, d) of an array of the stored shape."""
        sides = dict(zip(self.letters, stored, strict=True)) | dict(self.unfolded)
        if "h" not in sides:
            return sides["n"], sides["d"]
        return sides["n"], sides["h"], sides["w"], sides.get("c", 1)

    def arrange(self, block: np.ndarray) -> np.ndarray:
        """Return rows whose first axis is n, the others as stored, as a C-ordered ndarray (n, h, w, c) or (n, d)."""
        letters = "n" + self.letters.replace("n", "")
        if self.unfolded:
            letters = "n" + "".join(letter for letter, _ in self.unfolded)
            block = block.reshape(len(block), *(side for _, side in self.unfolded))
        if "d" in letters:
            return np.ascontiguousarray(block)
        if "c" not in letters:
            letters, block = letters + "c", block[..., np.newaxis]
        images = block.transpose([letters.index(letter) for letter in "nhwc"])
        if images.flags.c_contiguous:
            return images
        arranged = np.empty(images.shape, images.dtype)
        for channel in range(images.shape[3]):  # five times as fast as all channels at once
            arranged[..., channel] = images[..., channel]
        return arranged

    @property
    def is_plain(self) -> bool:
        """True if the values of a row lie in the order of an image (h, w, c), or of a vector."""
        inner = "".join(letter for letter, _ in self.unfolded)
        return self.letters in ("nhwc", "nhw") or (self.letters == "nd" and inner in ("", "hwc", "hw"))

    def in_words(self) -> str:
        """Return how the axes are stored, where that is unusual; or ""."""
        order = ", ".join(self.letters)
        if self.unfolded:
            unfolded = "x".join(str(side) for _, side in self.unfolded)
            inner = ", channels first" if self.unfolded[0][0] == "c" else ""
            return f"flattened rows, unfolded to {unfolded}{inner}"
        if self.letters in ("nhwc", "nd"):
            return ""
        if self.letters == "nhw":
            return "gray without an axis of channels, which is added"
        if self.letters == "nchw":
            return "channels first (n, c, h, w), transposed as they are read"
        return f"axes stored as ({order}), transposed as they are read"


def find_axes(stored: tuple[int, ...], rows: int, reverse: bool, interlace: str = "") -> str:
    """Return the letters of a stored array's axes.

    Args:
        stored: its shape.
        rows: how many rows it has by its labels.
        reverse: whether MATLAB wrote it, so that the last axis varies slowest in the mind of its maker.
        interlace: ``INTERLACE_MODE`` of HDF5's image specification, or "".

    Raises:
        UnrecognisedError: the shape can be read in two ways, or in none.
    """
    sides = stored[::-1] if reverse else stored
    row = _row_axis(sides, rows, reverse)
    inner = _inner(stored, sides[:row] + sides[row + 1 :], interlace)
    letters = f"{inner[:row]}n{inner[row:]}"
    return letters[::-1] if reverse else letters


def inner_axes(stored: tuple[int, ...], reverse: bool, interlace: str = "") -> str:
    """Return the letters of the axes of one image that is a dataset of its own.

    Raises:
        UnrecognisedError: the shape can be read in two ways, or in none.
    """
    letters = _inner(stored, stored[::-1] if reverse else stored, interlace)
    return letters[::-1] if reverse else letters


def unfold(sides: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
    """Return the sides of one image with their letters; channels come last, or first where only that can be."""
    if len(sides) == 2:
        return ("h", sides[0]), ("w", sides[1])
    letters = "chw" if sides[0] in _FIRST and sides[-1] not in CHANNELS else "hwc"
    return tuple(zip(letters, sides, strict=True))


def _row_axis(sides: tuple[int, ...], rows: int, reverse: bool) -> int:
    last = len(sides) - 1
    found = [axis for axis in (0, last) if sides[axis] == rows and (axis == 0 or reverse or rows not in CHANNELS)]
    if not found:
        raise UnrecognisedError(
            f"labels: must be one for each image; there are {rows:,}, and images of shape {sides}",
            {"images": "KEY", "labels": "KEY"},
        )
    if reverse and len(found) == 2 and len(sides) > 1:
        raise _ambiguous(sides[::-1], "its first and its last axis may both be the rows")
    return found[0]


def _inner(stored: tuple[int, ...], sides: tuple[int, ...], interlace: str) -> str:
    if len(sides) == 1:
        return "d"
    if len(sides) == 2:
        if 1 in sides or sides[1] in CHANNELS:
            raise _ambiguous(stored, "an axis may be height, width or channels")
        return "hw"
    if len(sides) != 3:
        raise _ambiguous(stored, "images have two or three axes besides the rows")
    if interlace in _INTERLACED:
        return _INTERLACED[interlace]
    last, first = sides[2] in CHANNELS, sides[0] in _FIRST
    if last == first:
        both = "the first and the last axis of an image may both be" if last else "no axis of an image is of 1 or 3"
        raise _ambiguous(stored, f"{both} channels")
    return "hwc" if last else "chw"


def _ambiguous(stored: tuple[int, ...], why: str) -> UnrecognisedError:
    return UnrecognisedError(
        f"axes: shape {stored} can be read in more than one way, because {why}; name its axes in order, n rows, "
        "h height, w width, c channels, such as nhwc or nchw",
        {"axes": "nhwc"[: len(stored)] if len(stored) in (3, 4) else "KEY"},
    )
