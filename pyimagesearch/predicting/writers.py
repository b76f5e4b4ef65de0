"""Predictions as text: a table, CSV, JSON, or a submission to a Kaggle contest."""

import abc
import contextlib
import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from pyimagesearch.errors import UserError
from pyimagesearch.predicting.files import Prediction
from pyimagesearch.utils.atomic import PathLike, replacing
from pyimagesearch.utils.text import printable

_FORMULA = ("=", "+", "-", "@")  # with these a spreadsheet begins to calculate
_NAME_LETTERS = 40


class Writer(abc.ABC):
    """Write predictions one by one.

    Args:
        file: where to write.
        label_names: the classes.
        top: how many of the best classes to name.
    """

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        self._file, self._label_names, self._top = file, label_names, min(top, len(label_names))

    @abc.abstractmethod
    def add(self, prediction: Prediction) -> None:
        """Write a prediction."""

    def close(self) -> None:
        """Write what follows the last prediction; the file stays open."""


class TableWriter(Writer):
    """Write a paragraph for each image: its best classes, with their probabilities in percent."""

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        super().__init__(file, [printable(name, _NAME_LETTERS) for name in label_names], top)
        self._width, self._digits = max(map(len, self._label_names)), len(str(self._top))

    def add(self, prediction: Prediction) -> None:
        """Write the paragraph of an image."""
        lines = [printable(prediction.path)]
        if prediction.reason:
            lines.append(f"  unreadable: {printable(prediction.reason)}")
        for rank, (index, probability) in enumerate(prediction.best(self._top), 1):
            lines.append(f"  {rank:{self._digits}}  {self._label_names[index]:{self._width}}  {probability:7.2%}")
        self._file.write("\n".join(lines) + "\n")


class JsonWriter(Writer):
    """Write a list with an object for each image, in ASCII: any name is safe to print and comes back exact."""

    _before = "[\n"

    def add(self, prediction: Prediction) -> None:
        """Write the object of an image."""
        content: dict[str, object] = {"image": prediction.path}
        if prediction.reason:
            content["error"] = prediction.reason
        else:
            best = prediction.best(self._top)
            content["predictions"] = [{"class": self._label_names[n], "probability": p} for n, p in best]
        self._file.write(self._before + json.dumps(content))
        self._before = ",\n"

    def close(self) -> None:
        """Write the end of the list."""
        self._file.write("[]\n" if self._before == "[\n" else "\n]\n")


class CsvWriter(Writer):
    """Write a line for each readable image; an apostrophe precedes a name that a spreadsheet takes for a formula."""

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        super().__init__(file, list(map(_text_cell, label_names)), top)
        self._csv = csv.writer(file, lineterminator="\n")
        columns = [f"{what}_{rank}" for rank in range(1, self._top + 1) for what in ("class", "probability")]
        self._csv.writerow(["image", *columns])

    def add(self, prediction: Prediction) -> None:
        """Write the line of an image."""
        if prediction.reason:
            return
        best = prediction.best(self._top)
        cells = (cell for index, p in best for cell in (self._label_names[index], _number_cell(p)))
        self._csv.writerow([_text_cell(prediction.path), *cells])


class SubmissionWriter(Writer):
    """Write ``id,label`` with the last class's probability; ``id`` and a column for each class if they are not two."""

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        super().__init__(file, label_names, top)
        self._csv, self._two = csv.writer(file, lineterminator="\n"), len(label_names) == 2
        columns = ["label"] if self._two else [_exact_cell(name, "class") for name in label_names]
        self._csv.writerow(["id", *columns])

    def add(self, prediction: Prediction) -> None:
        """Write the line of an image."""
        if prediction.reason:
            return
        probabilities = prediction.probabilities[-1:] if self._two else prediction.probabilities
        self._csv.writerow([_kaggle_id(prediction.path, self._two), *map(_number_cell, probabilities)])


FORMATS: dict[str, type[Writer]] = {
    "table": TableWriter, "json": JsonWriter, "csv": CsvWriter, "kaggle": SubmissionWriter,
}  # fmt: skip


@contextlib.contextmanager
def open_writer(
    style: str, path: PathLike | None, screen: TextIO, label_names: Sequence[str], top: int
) -> Iterator[Writer]:
    """Yield a writer whose text becomes a file, or appears on the screen, when the block ends without an exception.

    Args:
        style: a key of `FORMATS`.
        path: the file to write, or None for ``screen``.
        label_names, top: as of `Writer`.
    """
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    with contextlib.ExitStack() as stack:
        if path is None:
            file = stack.enter_context(tempfile.TemporaryFile("w+", **options))
        else:
            file = stack.enter_context(open(stack.enter_context(replacing(path)), "w", **options))
        writer = FORMATS[style](file, label_names, top)
        yield writer
        writer.close()
        if path is None:
            file.seek(0)
            shutil.copyfileobj(file, screen)
            screen.flush()


def in_order_of_ids(paths: Iterable[str], label_names: Sequence[str]) -> list[str]:
    """Sort images by their ids in a Kaggle contest: the file's name without its suffix, or of two classes its number.

    Raises:
        UserError: a path has no such id, or two have the same one.
    """
    two = len(label_names) == 2
    by_id: dict[str, str] = {}
    for path in paths:
        name = _kaggle_id(path, two)
        if name in by_id:
            raise UserError(
                f"image: each image must have an id of its own; {by_id[name]} and {path} have the id {name}; "
                "leave one out"
            )
        by_id[name] = path
    return [by_id[name] for name in sorted(by_id, key=int if two else str)]


def _kaggle_id(path: str, numbered: bool) -> str:
    stem = os.path.splitext(os.path.basename(path))[0]
    if not numbered:
        return _exact_cell(stem, "image")
    numbers = re.findall(r"[0-9]+", stem)
    if len(numbers) != 1:
        raise UserError(
            f"image: {path} must have one number in its name, its id in the contest; it has "
            f"{' and '.join(numbers) or 'none'}; rename it, or choose another format"
        )
    return str(int(numbers[0]))


def _number_cell(probability: float) -> str:
    return f"{probability:.9g}"  # enough digits for log loss


def _text_cell(text: str) -> str:
    text = printable(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _exact_cell(text: str, what: str) -> str:
    """Return text as it is, or raise a `UserError` if `_text_cell` would change it."""
    if _text_cell(text) == text:
        return text
    raise UserError(
        f"{what}: a name must not begin like a formula or hold control characters in a submission; "
        f"received {text!r}; rename it, or choose another format"
    )
