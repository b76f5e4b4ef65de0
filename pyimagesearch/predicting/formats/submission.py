"""Predictions for a contest of Kaggle."""

import csv
import os
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

from pyimagesearch.errors import UserError
from pyimagesearch.predicting.formats.cells import exact_cell, number_cell
from pyimagesearch.predicting.prediction import Prediction


class Submission:
    """A submission: ``id,label`` with the last class's probability, or ``id`` and every class if they are not two."""

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        self._writer, self._two = csv.writer(file, lineterminator="\n"), len(label_names) == 2
        columns = ["label"] if self._two else [exact_cell(name, "class") for name in label_names]
        self._writer.writerow(["id", *columns])

    def add(self, prediction: Prediction) -> None:
        """Write the line of an image that could be read."""
        if prediction.reason:
            return
        numbers = prediction.probabilities[-1:] if self._two else prediction.probabilities
        self._writer.writerow([kaggle_id(prediction.path, self._two), *map(number_cell, numbers)])

    def close(self) -> None:
        """Do nothing: nothing comes behind."""


def kaggle_id(path: str, numbered: bool) -> str:
    """Return what a contest calls an image: the file's name without its suffix, or the one number in that.

    Raises:
        UserError: the name holds no number or several, or letters that need not survive a spreadsheet.
    """
    stem = os.path.splitext(os.path.basename(path))[0]
    if not numbered:
        return exact_cell(stem, "image")
    numbers = re.findall(r"[0-9]+", stem)
    if len(numbers) != 1:
        raise UserError(
            f"image: {path} must have one number in its name, its id in the contest; it has "
            f"{' and '.join(numbers) or 'none'}; rename it, or choose another --format"
        )
    return str(int(numbers[0]))


def in_order_of_ids(paths: Iterable[str], numbered: bool) -> list[str]:
    """Return the paths in the order of their ids.

    Raises:
        UserError: a path has no id (see `kaggle_id`), or two have the same one.
    """
    by_id: dict[str, str] = {}
    for path in paths:
        name = kaggle_id(path, numbered)
        if name in by_id:
            raise UserError(
                f"image: every id of the contest must be one image's; {by_id[name]} and {path} have the id {name}; "
                "leave one out"
            )
        by_id[name] = path
    return [by_id[name] for name in sorted(by_id, key=int if numbered else str)]
