"""Predictions for people to read."""

from collections.abc import Sequence
from typing import TextIO

from pyimagesearch.predicting.formats.cells import escaped
from pyimagesearch.predicting.prediction import Prediction

_NAME_LETTERS = 40


class Table:
    """A paragraph for each image: its best classes, with their probabilities in percent."""

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        self._file, self._top = file, top
        self._names = [name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 3]}..."
                       for name in map(escaped, label_names)]  # fmt: skip
        self._width = max(map(len, self._names))
        self._digits = len(str(min(top, len(label_names))))

    def add(self, prediction: Prediction) -> None:
        """Write the paragraph."""
        lines = [escaped(prediction.path)]
        if prediction.reason:
            lines.append(f"  unreadable: {escaped(prediction.reason)}")
        for rank, (number, probability) in enumerate(prediction.best(self._top), 1):
            lines.append(f"  {rank:{self._digits}}  {self._names[number]:{self._width}}  {probability:7.2%}")
        self._file.write("\n".join(lines) + "\n")

    def close(self) -> None:
        """Do nothing: nothing comes behind."""
