"""What all models look like to those who want a prediction."""

from typing import Protocol

import numpy as np

CROPS = 10

_STORED, _INPUT = 256, 227


class Predictor(Protocol):
    """A trained model with all that it needs of an image.

    Attributes:
        label_names: the classes in the order of the probabilities.
        channels: of the images that it takes: 3 for BGR, 1 for gray.
        crops: how many parts of each image are looked at, 1 or `CROPS`.
    """

    label_names: list[str]
    channels: int
    crops: int

    def prepare(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the inputs of the model's networks; any thread may call this.

        Args:
            image: ndarray of shape (h, w, channels), uint8.

        Returns:
            For each network an ndarray of shape (crops, ...), float32.
        """
        ...

    def scores(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Return the probabilities of each crop, of shape (n * crops, classes).

        Args:
            inputs: what `prepare` gave for n images, joined along the first axis.
        """
        ...


def size_around(width: int, height: int) -> tuple[int, int]:
    """Return the size of an image from which crops are cut: as 256 is to 227 (Krizhevsky et al., 2012)."""
    return round(width * _STORED / _INPUT), round(height * _STORED / _INPUT)
