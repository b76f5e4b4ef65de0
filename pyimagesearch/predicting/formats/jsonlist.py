"""Predictions for programs to read."""

import json
from collections.abc import Sequence
from typing import TextIO

from pyimagesearch.predicting.prediction import Prediction


class JsonList:
    """A list with an object for each image; ASCII alone, so that any name is safe to print and comes back exact."""

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None:
        self._file, self._label_names, self._top = file, label_names, top
        self._before = "[\n"

    def add(self, prediction: Prediction) -> None:
        """Write the object, on a line of its own."""
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
