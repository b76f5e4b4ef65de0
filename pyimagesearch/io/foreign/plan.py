"""The plan of a file: what the user tells, where images, labels, names and paths lie, and how they are read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import Axes
from pyimagesearch.io.foreign.listing import DatasetEntry
from pyimagesearch.io.foreign.pixels import Seen, ValueRule, rule_of, said_order, scale_range
from pyimagesearch.utils.text import printable

_AXES = {"nhwc", "nhw", "nd", "hwc", "hw"}
_FORMS = {
    "numbers": "class numbers", "column": "class numbers, stored as (n, 1)", "row": "class numbers, stored as (1, n)",
    "one-hot": "one-hot", "boolean": "false and true, classes 0 and 1", "text": "text, classes in sorted order",
    "groups": "the names of the groups", "attributes": "an attribute of each image", "datasets": "one dataset an image",
}  # fmt: skip


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
        _ = self.shape_sides, self.size_sides, scale_range(self.scale)
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


def _sides(argument: str, text: str, lengths: tuple[int, ...], example: str) -> tuple[int, ...]:
    if not text:
        return ()
    sides = text.lower().split("x")
    if len(sides) not in lengths or not all(side.isdecimal() and 0 < int(side) <= 2**16 for side in sides):
        raise UserError(f"{argument}: must be sides in pixels, such as {example}; received {text}")
    return tuple(map(int, sides))


@dataclass(frozen=True)
class LabelsPlan:
    """Where the labels are.

    Attributes:
        form: "numbers", "column", "row", "one-hot", "boolean" or "text" for one dataset; "groups" or "attributes"
            where ``values`` has them already; "datasets" where ``members`` are their paths.
        path: the dataset, or the name of the attribute.
        file: another file that holds the dataset, or "".
        reverse: whether MATLAB wrote it, so that its axes are reversed.
        values, members: one for each row.
    """

    form: str
    path: str = ""
    file: str = ""
    reverse: bool = False
    values: tuple[str | int | float, ...] = ()
    members: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return the labels' place and form."""
        place = f"{self.file}::{self.path}" if self.file else self.path
        return f"{printable(place)}: {_FORMS[self.form]}" if place else _FORMS[self.form]


@dataclass(frozen=True)
class Plan:
    """How a file is read.

    Attributes:
        file: its path.
        form: "array" for one dataset of numbers; "files" for one of the bytes of image files; "each" for one dataset
            an image, which ``members`` lists.
        images: the path of the dataset, or of the group of the images.
        dtype: the stored dtype; uint8 for image files.
        shape: (n, h, w, c) or (n, d) of the rows as they are read; h and w are 0 while they are not known.
        axes: of an array.
        members: the paths of images that are datasets of their own, in the order of the rows.
        labels: where the labels are.
        names, names_file: the dataset of the classes' names and another file that holds it; or "".
        paths: the dataset of the rows' origins, or "".
        color_order: "RGB" or "BGR"; "" for gray images and vectors.
        color_source: "told", "file", "book", "decoded", "assumed" or "".
        choices: what the user told.
        storage: how an array lies in the file: "contiguous", or its chunks and their compression.
        recipe: what made features, as JSON; see `Provenance`.
        rule: what becomes of the values; None until `settle`.
        unfinished: what says that the file's writer was stopped, as a sentence; or "".
        remarks: what else a user should know, as sentences.
    """

    file: str
    form: str
    images: str
    dtype: np.dtype
    shape: tuple[int, ...]
    labels: LabelsPlan
    axes: Axes | None = None
    members: tuple[str, ...] = ()
    names: str = ""
    names_file: str = ""
    paths: str = ""
    color_order: str = ""
    color_source: str = ""
    choices: Choices = field(default_factory=Choices)
    storage: str = ""
    recipe: str = ""
    rule: ValueRule | None = None
    unfinished: str = ""
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def row_dtype(self) -> np.dtype:
        """The dtype of rows as they are returned."""
        return np.dtype(self.rule.dtype) if self.rule else self.dtype.newbyteorder("=")

    @property
    def assumption(self) -> str:
        """A sentence that says what was assumed of colors; or ""."""
        if self.color_source != "assumed":
            return ""
        return f"color order of {self.file}: {self._color_in_words()}"

    @property
    def is_images(self) -> bool:
        """True if rows are images, False if they are vectors."""
        return len(self.shape) == 4

    def require_finished(self) -> None:
        """Raise a UserError if the file's writer was stopped, so that rows are missing."""
        if self.unfinished:
            raise UserError(f"data set: {self.file} is unfinished: {self.unfinished}")

    def settle(self, seen: Seen) -> "Plan":
        """Return the plan with the shape and the color order, which may depend on rows that were looked at."""
        shape = self.shape if all(self.shape) else (self.shape[0], *seen.shape)
        plan = replace(self, shape=shape)
        if self.color_source == "book" and not (seen.whole and seen.low >= 0 and seen.high <= 255):
            plan = replace(plan, color_order="RGB", color_source="assumed")  # the book stores what OpenCV read
        return plan

    def ruled(self, seen: Seen) -> "Plan":
        """Return the plan with the rule for values, once some rows were looked at.

        Raises:
            UnrecognisedError: the values need a scale that was not told.
        """
        return (
            self
            if self.rule or not self.is_images
            else replace(self, rule=rule_of(self.dtype, self.choices.scale, seen))
        )

    def in_words(self) -> dict[str, str]:
        """Return topics and sentences that tell a person how the file is read."""
        words = {"images" if self.is_images else "features": self._rows_in_words()}
        words["labels"] = self.labels.in_words()
        if self.names:
            words["class names"] = printable(f"{self.names_file}::{self.names}" if self.names_file else self.names)
        if self.paths:
            words["row origins"] = printable(self.paths)
        if self.color_order and not self.unfinished:
            words["color order"] = self._color_in_words()
        if self.is_images and self.rule is None and not self.unfinished:
            words["values"] = f"{self.dtype}; scale must be told"
        elif self.rule and self.rule.words:
            words["values"] = self.rule.words
        if self.unfinished:
            words["unfinished"] = self.unfinished
        if self.remarks:
            words["remarks"] = "; ".join(self.remarks)
        return words

    def _rows_in_words(self) -> str:
        sides = "x".join(map(str, self.shape[1:])) if all(self.shape) else "sizes that their files say"
        kind = "images of" if self.is_images else "vectors of length"
        how = {"files": "bytes of image files", "each": "one dataset an image"}.get(self.form, f"{self.dtype}")
        odd = f"; {words}" if self.axes and (words := self.axes.in_words()) else ""
        resized = "; resized as told" if self.choices.size else ""
        place = printable(self.images) or "the file itself"
        return f"{place}: {len(self):,} {kind} {sides}, {how}{odd}{resized}"

    def _color_in_words(self) -> str:
        sources = {
            "told": "as told", "file": "as the file says", "decoded": "as OpenCV decodes image files",
            "book": "as the book's writer stores them",
        }  # fmt: skip
        other = "BGR" if self.color_order == "RGB" else "RGB"
        assumed = f'ASSUMED, the file does not say; if red and blue are swapped, pass color_order="{other}"'
        return f"{self.color_order}, {sources.get(self.color_source, assumed)}"


def colored(plan: Plan, attributes: Iterable[Mapping[str, Any]]) -> Plan:
    """Return a plan of arrays that knows the order of colors, and where it knows it from.

    RGB is assumed where nobody says: nine in ten programs write it. Floats under the names of the book were written by
    the book's own writer, which stores the BGR that OpenCV reads.

    Args:
        plan: the plan so far.
        attributes: those of the images, of the groups that hold them from the inmost, and of the root.

    Raises:
        UserError: as of `said_order`.
    """
    said = said_order(attributes)
    if plan.shape[3] not in (3, 4):
        return plan
    told = plan.choices.color_order
    remarks = plan.remarks
    if told and said and told != said:
        remarks += (f"the file says {said}, and {told} is used as told",)
    if plan.shape[3] == 4:
        remarks += ("images have four channels; the fourth, often alpha, is kept",)
    book = (plan.images, plan.labels.path, plan.labels.file, plan.dtype.kind) == ("images", "labels", "", "f")
    order = told or said or ("BGR" if book else "RGB")
    source = "told" if told else "file" if said else "book" if book else "assumed"
    return replace(plan, color_order=order, color_source=source, remarks=remarks)


def unfinished(entry: DatasetEntry, told_rows: bool = False) -> str:
    """Return what says that a dataset's writer was stopped, as a sentence; or "".

    Args:
        told_rows: whether the user told how many of the first rows are good.
    """
    if entry.empty:
        return f"nothing was ever written into {entry.path}: its writer was stopped, build the file again"
    if entry.unwritten and not told_rows:
        return (
            f"{entry.unwritten:,} chunks of {entry.path} were never written and read as fill values: its writer was "
            "stopped, build the file again, or use the first ones: rows=N"
        )
    return ""
