"""What all formats of predictions as text have in common."""

from collections.abc import Sequence
from typing import Protocol, TextIO

from pyimagesearch.predicting.prediction import Prediction


class TextFormat(Protocol):
    """Writes predictions one by one.

    Args:
        file: where to.
        label_names: the classes.
        top: how many of the best classes to name.
    """

    def __init__(self, file: TextIO, label_names: Sequence[str], top: int) -> None: ...

    def add(self, prediction: Prediction) -> None:
        """Write a prediction."""
        ...

    def close(self) -> None:
        """Write what comes behind the last prediction; the file stays open."""
        ...
