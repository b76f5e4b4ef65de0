"""Predictions for image files: decoded ahead of the model, in bounded memory."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, read_image
from pyimagesearch.predicting.predictor import Predictor
from pyimagesearch.predicting.thumbnail import thumbnail
from pyimagesearch.utils.parallel import map_ahead

_NO_PIXELS = np.empty((0, 0, 3), np.uint8)
_ROUNDING = 0.01  # of a network that calculates in bfloat16


class Prediction(NamedTuple):
    """What a model says of an image.

    Attributes:
        path: the file.
        probabilities: of each class, ndarray of shape (classes,), float64, of sum 1; empty if there is a ``reason``.
        thumbnail: the image as `thumbnail` makes it, or without any pixels.
        reason: why the file cannot be read, or "".
    """

    path: str
    probabilities: np.ndarray
    thumbnail: np.ndarray = _NO_PIXELS
    reason: str = ""

    def best(self, k: int) -> list[tuple[int, float]]:
        """Return numbers and probabilities of up to ``k`` classes, the best first; of equals the lower number."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return [(int(number), float(self.probabilities[number])) for number in order]


class _Prepared(NamedTuple):
    path: str
    inputs: list[np.ndarray] = []
    thumbnail: np.ndarray = _NO_PIXELS
    reason: str = ""


def predict_files(
    predictor: Predictor,
    paths: Sequence[str],
    batch_size: int,
    threads: int,
    decoding: Decoding,
    skip: bool = False,
    thumbnails: bool = False,
) -> Iterator[Prediction]:
    """Yield a prediction for every file, in the order of ``paths``.

    Args:
        batch_size: images that go through the model at once; each crop counts as one.
        threads: threads that decode ahead of the model.
        decoding: what is wanted of the files; the channels are the predictor's.
        skip: whether an unreadable file gives a prediction with a ``reason``, instead of an error.
        thumbnails: whether predictions have thumbnails.

    Raises:
        UserError: a file cannot be read, or the model gives no probabilities.
    """
    decoding = decoding._replace(channels=predictor.channels)

    def prepare(path: str) -> _Prepared:
        try:
            image = read_image(path, decoding)
        except UnreadableImageError as error:
            return _Prepared(path, reason=error.reason)
        return _Prepared(path, predictor.prepare(image), thumbnail(image) if thumbnails else _NO_PIXELS)

    images = max(1, batch_size // predictor.crops)
    prepared = map_ahead(prepare, paths, threads, images + threads)
    while batch := list(islice(prepared, images)):
        unreadable = [each for each in batch if each.reason]
        if unreadable and not skip:
            first = UnreadableImageError(unreadable[0].path, unreadable[0].reason)
            raise UserError(f"{first}; mend or remove it, or pass --on-error skip")
        readable = [each for each in batch if not each.reason]
        rows = iter(_probabilities(predictor, readable) if readable else ())
        for each in batch:
            row = np.empty(0) if each.reason else next(rows)
            yield Prediction(each.path, row, each.thumbnail, each.reason)


def _probabilities(predictor: Predictor, batch: Sequence[_Prepared]) -> np.ndarray:
    inputs = [np.concatenate(arrays) for arrays in zip(*(each.inputs for each in batch), strict=True)]
    scores = predictor.scores(inputs).astype(np.float64)
    rows = scores.reshape(len(batch), predictor.crops, -1).mean(axis=1)
    sums = rows.sum(axis=1, keepdims=True)
    if not (rows.min() >= 0 and np.abs(sums - 1).max() < _ROUNDING):  # not a number is neither
        raise UserError(
            f"model: must give probabilities, which sum to 1; for {batch[0].path} it gave a sum of {sums[0, 0]:g} and "
            f"a least value of {rows.min():g}; use a model that ends in softmax and was trained without overflow"
        )
    return rows / sums
