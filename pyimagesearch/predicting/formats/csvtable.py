"""Predictions for spreadsheets."""

import csv
from collections.abc import Sequence
from typing import TextIO

from pyimagesearch.predicting.formats.cells import number_cell, text_cell
from pyimagesearch.predicting.prediction import Prediction


class CsvTable:
    """A line for each image that could be read.

    Names that a spreadsheet would take for formulas get an apostrophe before them.
    """

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        self._top, self._writer = top, csv.writer(file, lineterminator="\n")
        self._names = list(map(text_cell, label_names))
        ranks = range(1, min(top, len(label_names)) + 1)
        self._writer.writerow(["image", *(f"{what}_{rank}" for rank in ranks for what in ("class", "probability"))])

    def add(self, prediction: Prediction) -> None:
        """Write the line."""
        if prediction.reason:
            return
        best = prediction.best(self._top)
        cells = (cell for number, probability in best for cell in (self._names[number], number_cell(probability)))
        self._writer.writerow([text_cell(prediction.path), *cells])

    def close(self) -> None:
        """Do nothing: nothing comes behind."""
