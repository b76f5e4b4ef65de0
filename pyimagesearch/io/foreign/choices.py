"""Choices that a user makes about a file, and the error that asks for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.entries import DatasetEntry
from pyimagesearch.utils.text import named

KEY = "KEY"
_MOST_SHOWN = 24
_AXES = {"nhwc", "nhw", "nd", "hwc", "hw"}


class UnrecognisedError(UserError):
    """The content of a file is ambiguous; arguments can settle it.

    Attributes:
        reason: the message without the suggestion.
        suggestion: arguments of `Choices` with which the file would be taken, by their names; "KEY" stands for a
            value that only the user knows.
    """

    def __init__(self, message: str, suggestion: Mapping[str, str] | None = None) -> None:
        arguments = ", ".join(f'{name}="{value}"' for name, value in (suggestion or {}).items())
        super().__init__(f"{message}; pass {arguments}" if arguments else message)
        self.reason, self.suggestion = message, dict(suggestion or {})


@dataclass(frozen=True)
class Choices:
    """Choices of the user about a file; an empty text is no choice.

    Attributes:
        images, labels, names, paths: paths of datasets; ``images`` may be a group that holds one dataset an image,
            ``labels`` and ``names`` may lie in another file: "labels.h5::y".
        shape: of one image in flattened rows, in the order of its values: "32x32x3", or "3x32x32".
        axes: the letters of the stored axes in order: n rows, h height, w width, c channels, d values: "nchw".
        size: height and width to which images of different sizes are resized: "224x224".
        color_order: "RGB" or "BGR".
        scale: the values that become 0 and 255, "0..1"; or "keep", which leaves values as they are.
        rows: how many of the first rows are used; 0 for all.
    """

    images: str = ""
    labels: str = ""
    names: str = ""
    paths: str = ""
    shape: str = ""
    axes: str = ""
    size: str = ""
    color_order: str = ""
    scale: str = ""
    rows: int = 0

    def __post_init__(self) -> None:
        """Validate what can be validated without the file.

        Raises:
            UserError: an argument breaks its rule.
        """
        _ = self.shape_sides, self.size_sides, self.scale_range
        if self.color_order not in ("", "RGB", "BGR"):
            raise UserError(f"color_order: must be RGB or BGR; received {self.color_order}")
        if self.axes and (len(set(self.axes)) != len(self.axes) or set(self.axes) not in map(set, _AXES)):
            raise UserError(
                f"axes: must name each stored axis once, n rows, h height, w width and c channels, or n and d values, "
                f"such as nchw; received {self.axes}"
            )
        if self.rows < 0:
            raise UserError(f"rows: must be a number of rows; received {self.rows}")

    @property
    def told(self) -> dict[str, str | int]:
        """The choices that were made, by argument."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def shape_sides(self) -> tuple[int, ...]:
        """The sides of one image, or ()."""
        return _sides("shape", self.shape, (2, 3), "32x32x3 or 28x28")

    @property
    def size_sides(self) -> tuple[int, ...]:
        """Height and width, or ()."""
        return _sides("size", self.size, (2,), "224x224")

    @property
    def scale_range(self) -> tuple[float, float] | None:
        """The values that become 0 and 255, or None.

        Raises:
            UserError: they are no range.
        """
        if self.scale in ("", "keep"):
            return None
        low, dots, high = self.scale.partition("..")
        try:
            bounds = float(low), float(high)
        except ValueError:
            bounds = (0.0, 0.0)
        if not dots or not bounds[0] < bounds[1] < float("inf") or bounds[0] == -float("inf"):
            raise UserError(f"scale: must be LOW..HIGH, such as 0..1 or 0..65535, or keep; received {self.scale}")
        return bounds

    @property
    def labels_file(self) -> str:
        """The other file that holds the labels, or ""."""
        return split_reference(self.labels)[0]

    @property
    def names_file(self) -> str:
        """The other file that holds the names of the classes, or ""."""
        return split_reference(self.names)[0]


def split_reference(text: str) -> tuple[str, str]:
    """Return the file and the path of "FILE::KEY"; the file is "" where only a path is given."""
    file, colons, key = text.rpartition("::")
    return (file, key.strip("/")) if colons else ("", text.strip("/"))


def contents(entries: Iterable[DatasetEntry]) -> str:
    """Return a list of datasets with path, shape and dtype, as the end of a sentence."""
    return named(list(map(str, entries)), _MOST_SHOWN, "; ") or "no datasets"


def _sides(argument: str, text: str, lengths: tuple[int, ...], example: str) -> tuple[int, ...]:
    if not text:
        return ()
    sides = text.lower().split("x")
    if len(sides) not in lengths or not all(side.isdecimal() and 0 < int(side) <= 2**16 for side in sides):
        raise UserError(f"{argument}: must be sides in pixels, such as {example}; received {text}")
    return tuple(map(int, sides))
