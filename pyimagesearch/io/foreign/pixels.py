"""Decide what stored values mean: the order of colours, and how numbers become pixels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyimagesearch.errors import UnrecognisedError, UserError

_ATTRIBUTES = {
    "colororder", "colourorder", "channelorder", "channelsorder", "colorspace", "colourspace", "colormode",
    "colourmode", "colormodel", "colourmodel", "imagecolormodel", "imagemode", "mode", "pixelformat", "format",
    "channels", "color", "colour", "imageformat",
}  # fmt: skip
_ORDERS = {"RGB": "RGB", "BGR": "BGR", "RGBA": "RGB", "BGRA": "BGR"}
_OTHER_SPACES = {"HSV", "HSL", "HLS", "LAB", "CIELAB", "YUV", "YCBCR", "YCC", "CMY", "CMYK", "XYZ", "LUV"}


def said_order(attributes: Iterable[Mapping[str, Any]]) -> str:
    """Return "RGB" or "BGR" as the attributes say, those of the dataset first; or "" where they say nothing.

    Names and values are understood in any case and type; an image of HDF5's image specification is RGB.

    Raises:
        UserError: they name another space of colors, or a palette.
    """
    for each in attributes:
        words = {_bare(name): str(value).strip().upper() for name, value in each.items() if isinstance(value, str)}
        for name, value in words.items():
            if name in _ATTRIBUTES and (order := _ORDERS.get(value.replace(" ", "").replace(",", ""))):
                return order
            if name in _ATTRIBUTES and value in _OTHER_SPACES:
                raise UserError(
                    f"color_order: pixels must be RGB, BGR or gray; the file says {value}; convert them to RGB first"
                )
        if words.get("imagesubclass") == "IMAGE_INDEXED":
            raise UserError(
                "images: pixels must be colors or gray; the file says that they are numbers of a palette "
                "(IMAGE_INDEXED); convert them to RGB first"
            )
        if words.get("class") == "IMAGE" or words.get("imagesubclass") == "IMAGE_TRUECOLOR":
            return "RGB"
    return ""


def interlace_mode(attributes: Mapping[str, Any]) -> str:
    """Return ``INTERLACE_MODE`` of HDF5's image specification, or ""."""
    found = next((value for name, value in attributes.items() if name.upper() == "INTERLACE_MODE"), "")
    return found.strip().upper() if isinstance(found, str) else ""


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


@dataclass(frozen=True)
class Seen:
    """Statistics of a few rows.

    Attributes:
        low, high: the smallest and the largest value.
        whole: whether all of them are whole numbers.
        shape: the shape (h, w, c) of the first image.
    """

    low: float
    high: float
    whole: bool
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class ValueRule:
    """How stored values become those of the rows.

    Attributes:
        dtype: of the rows: "uint8", "uint16" or "float32".
        low, high: the values that become 0 and 255; None where values are not scaled.
        words: the rule for people.
    """

    dtype: str
    low: float | None = None
    high: float | None = None
    words: str = ""


def scale_range(scale: str) -> tuple[float, float] | None:
    """Return the values that become 0 and 255, of "0..1"; None for "keep" and "".

    Raises:
        UserError: they are no range.
    """
    if scale in ("", "keep"):
        return None
    low, dots, high = scale.partition("..")
    try:
        bounds = float(low), float(high)
    except ValueError:
        bounds = (0.0, 0.0)
    if not dots or not bounds[0] < bounds[1] < float("inf") or bounds[0] == -float("inf"):
        raise UserError(f"scale: must be LOW..HIGH, such as 0..1 or 0..65535, or keep; received {scale}")
    return bounds


def rule_of(dtype: np.dtype, scale: str = "", seen: Seen | None = None) -> ValueRule | None:
    """Return the rule for images of a dtype; None while it depends on values that were not seen yet.

    Args:
        dtype: the stored one.
        scale: as of `Choices`.
        seen: what some rows hold.

    Raises:
        UnrecognisedError: the values need a scale that was not told.
    """
    if bounds := scale_range(scale):
        words = f"{bounds[0]:g}..{bounds[1]:g} mapped to 0..255 and rounded, as told"
        return ValueRule("uint8", *bounds, words)
    if dtype == np.uint8:
        return ValueRule("uint8")
    if dtype.kind == "b":
        return ValueRule("uint8", 0, 1, "false and true become 0 and 255")
    if scale == "keep":
        return _kept(dtype, "as told")
    if seen is None:
        return None
    low, high = f"{seen.low:g}", f"{seen.high:g}"
    if seen.low < 0:
        return _kept(dtype, f"values from {low} to {high}, as after the subtraction of a mean")
    if seen.whole and seen.high <= 255 and (seen.high > 1 or seen.high == 0):
        return ValueRule("uint8", words=f"{dtype} that holds whole numbers of 0..255, which become uint8")
    raise UnrecognisedError(
        f"scale: images of 8 bits have whole numbers in 0..255; rows that were looked at are {dtype} from {low} to "
        f'{high}; "{_likely_scale(seen)}" maps that range to 0..255, "keep" leaves values as they are',
        {"scale": _likely_scale(seen)},
    )


def _likely_scale(seen: Seen) -> str:
    if seen.high <= 1:
        return "0..1"
    if seen.high <= 255:
        return "0..255"
    return "0..65535" if seen.high <= 65535 else f"0..{seen.high:.0f}"


def _kept(dtype: np.dtype, why: str) -> ValueRule:
    kept = "uint16" if dtype == np.uint16 else "float32"
    lossy = dtype.itemsize > 4 or (dtype.kind in "iu" and dtype.itemsize > 2)
    loss = f"; {dtype} has digits that {kept} loses" if lossy and kept == "float32" else ""
    return ValueRule(kept, words=f"kept as {kept}, {why}{loss}")


class ValueMap:
    """Applies a rule to blocks of rows, and keeps count of what is lost.

    Attributes:
        rounded: the largest distance of a mapped value from its whole number, in 0 to 0.5.
    """

    def __init__(self, rule: ValueRule) -> None:
        self.rule = rule
        self.rounded = 0.0

    def apply(self, block: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        """Return a block of rows in the rule's dtype.

        Args:
            block: ndarray of shape (n, ...), any numbers.
            rows: their indexes, for messages.

        Raises:
            UserError: a value is no number, or out of the range.
        """
        target = np.dtype(self.rule.dtype)
        if block.dtype == target and self.rule.low is None:
            if target.kind == "f":
                _require(np.isfinite(block), block, rows, "be finite numbers")
            return block
        if self.rule.low is None and target.kind == "f":
            with np.errstate(over="ignore"):
                kept = block.astype(target)
            _require(np.isfinite(kept), block, rows, "be finite numbers of float32")
            return kept
        if self.rule.low is None:
            with np.errstate(invalid="ignore"):
                whole = block.astype(target)
            if not np.array_equal(whole, block):  # fractions, NaN and what is out of range
                rule = f'be whole numbers in 0..{np.iinfo(target).max}; pass scale="keep", or their range'
                _require(whole == block, block, rows, rule)
            return whole
        return self._mapped(block, rows)

    def _mapped(self, block: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        low, high = self.rule.low or 0.0, self.rule.high or 1.0
        _require((block >= low) & (block <= high), block, rows, f"be in {low:g}..{high:g}, as scale says")
        if block.dtype.kind == "b":
            return block.astype(np.uint8) * np.uint8(255)
        # Steps of 1/255 in float32 come back from float64 arithmetic as whole numbers, within 1e-4.
        scaled = (block.astype(np.float64) - low) * (255 / (high - low))
        pixels = np.rint(scaled)
        distance = float(np.abs(scaled - pixels).max(initial=0))
        if distance > 1e-3:
            self.rounded = max(self.rounded, distance)
        return pixels.astype(np.uint8)

    def losses(self) -> str:
        """Return what was lost so far, for people; or ""."""
        if not self.rounded:
            return ""
        return f"values between the 256 steps of 8 bits were rounded, by up to {self.rounded:.2f} of a step"


def _require(good: np.ndarray, block: np.ndarray, rows: Sequence[int], rule: str) -> None:
    if good.all():
        return
    bad = int(np.flatnonzero(~good.reshape(len(block), -1).all(axis=1))[0])
    value = block[bad][~good[bad]].reshape(-1)[0]
    raise UserError(f"images: values must {rule}; row {rows[bad]} has {value}")
