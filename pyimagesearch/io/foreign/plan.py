"""The plan: where the images, labels, names and paths of a file lie, and how they are read."""

from dataclasses import dataclass, field, replace

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import Axes
from pyimagesearch.io.foreign.choices import Choices
from pyimagesearch.io.foreign.values import Seen, ValueRule, rule_of
from pyimagesearch.utils.text import printable

_FORMS = {
    "numbers": "class numbers", "column": "class numbers, stored as (n, 1)", "row": "class numbers, stored as (1, n)",
    "one-hot": "one-hot", "boolean": "false and true, classes 0 and 1", "text": "text, classes in sorted order",
    "groups": "the names of the groups", "attributes": "an attribute of each image", "datasets": "one dataset an image",
}  # fmt: skip


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
    def is_mappable(self) -> bool:
        """True if stored rows are returned as they lie in the file, but for their shape."""
        return (
            self.form == "array" and self.axes is not None and self.axes.is_plain
            and (self.rule is None or self.rule.low is None) and self.row_dtype == self.dtype
        )  # fmt: skip

    @property
    def assumption(self) -> str:
        """A sentence that says what was assumed of colors; or ""."""
        if self.color_source != "assumed":
            return ""
        other = "BGR" if self.color_order == "RGB" else "RGB"
        return (
            f"{self.file} does not say the order of its colors; {self.color_order} is ASSUMED: if red and blue are "
            f'swapped, pass color_order="{other}"'
        )

    @property
    def is_images(self) -> bool:
        """True if rows are images, False if they are vectors."""
        return len(self.shape) == 4

    def require_finished(self) -> None:
        """Raise a UserError if the file's writer was stopped, so that rows are missing."""
        if self.unfinished:
            raise UserError(f"data set: {self.file} is unfinished: {self.unfinished}")

    def settle(self, seen: Seen) -> "Plan":
        """Return the plan with everything that depends on the values, once some rows were looked at.

        Raises:
            UnrecognisedError: the values need a scale, or images a size, that was not told.
        """
        shape = self.shape if all(self.shape) else (self.shape[0], *seen.shape)
        plan = replace(self, shape=shape)
        if self.color_source == "book" and not (seen.whole and seen.low >= 0 and seen.high <= 255):
            plan = replace(plan, color_order="RGB", color_source="assumed")  # the book stores what OpenCV read
        return plan if self.rule or not self.is_images else replace(plan, rule=rule_of(self.dtype, self.choices, seen))

    def in_words(self) -> dict[str, str]:
        """Return topics and sentences that tell a person how the file is read."""
        words = {"images" if self.is_images else "features": self._rows_in_words()}
        words["labels"] = self.labels.in_words()
        if self.names:
            words["class names"] = printable(f"{self.names_file}::{self.names}" if self.names_file else self.names)
        if self.paths:
            words["row origins"] = printable(self.paths)
        if self.color_order:
            words["color order"] = self._color_in_words()
        if self.is_images and self.rule is None:
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
        assumed = "ASSUMED, the file does not say; color_order tells another one, if red and blue are swapped"
        return f"{self.color_order}, {sources.get(self.color_source, assumed)}"
