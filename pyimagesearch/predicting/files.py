"""Predictions for image files, decoded ahead of the model in bounded memory."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, read_image
from pyimagesearch.io.images.folder import list_image_folder
from pyimagesearch.io.images.remotefolder import is_remote
from pyimagesearch.io.images.walking import EXTENSIONS
from pyimagesearch.utils.parallel import map_ahead
from pyimagesearch.utils.text import without_credentials
from pyimagesearch.utils.thumbnails import thumbnail

if TYPE_CHECKING:  # Keras takes seconds to import, and names of files are checked before
    from pyimagesearch.predicting.predictors import Predictor

THUMBNAIL_SIDE = 160
"""Longer side of a thumbnail, in pixels."""

_ROUNDING = 0.01  # of a network that calculates in bfloat16


def find_images(names: Sequence[str]) -> list[str]:
    """List image files in the order of the names, each once however often it is named.

    A file is taken whatever its name; a folder gives the images in it and below it, sorted; a pattern with ``*``,
    ``?``, ``[...]`` or ``**`` gives the images and folders that it matches, sorted.

    Raises:
        UserError: a name leads to no image.
    """
    found: dict[str, str] = {}
    for name in names:
        for path in _images(name):
            folder, file = os.path.split(path)
            found.setdefault(os.path.join(os.path.realpath(folder), file), path)
    return list(found.values())


def _images(name: str) -> Iterator[str]:
    if os.path.isdir(name):
        for path in list_image_folder(name, lambda _: "unknown").paths:
            yield os.path.join(name, path)
        return
    if os.path.exists(name):
        yield name
        return
    if is_remote(name):
        raise UserError(
            f"image: must be a file, folder or pattern of this machine; received {without_credentials(name)}; copy its "
            "images here first"
        )
    if not glob.has_magic(name):
        raise UserError(f"image: {name} does not exist; check the path")
    matches = sorted(glob.glob(name, recursive=True))
    images = [match for match in matches if match.lower().endswith(EXTENSIONS) and not os.path.isdir(match)]
    folders = [match for match in matches if os.path.isdir(match)]
    if not images and not folders:
        raise UserError(f"image: {name} matches no images ({', '.join(EXTENSIONS)}) and no folders; check the pattern")
    yield from images
    for folder in folders:
        yield from _images(folder)


@dataclass(frozen=True, eq=False)
class Prediction:
    """The probabilities that a model gives for one image.

    Attributes:
        path: the file.
        probabilities: of each class, ndarray of shape (classes,), float64, of sum 1; empty if there is a ``reason``.
        thumbnail: ndarray of shape (h, w, 3), uint8, BGR, if asked for.
        reason: why the file cannot be read, or "".
    """

    path: str
    probabilities: np.ndarray
    thumbnail: np.ndarray | None = None
    reason: str = ""

    def best(self, k: int) -> list[tuple[int, float]]:
        """Return index and probability of the ``k`` best classes, best first; of equal ones the lower index first."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return [(int(index), float(self.probabilities[index])) for index in order]


@dataclass(frozen=True, eq=False)
class _Prepared:
    path: str
    inputs: list[np.ndarray] = field(default_factory=list)
    thumbnail: np.ndarray | None = None
    reason: str = ""


def predict_files(
    predictor: "Predictor",
    paths: Sequence[str],
    batch_size: int,
    threads: int,
    decoding: Decoding,
    on_error: str = "fail",
    thumbnails: bool = False,
) -> Iterator[Prediction]:
    """Yield a prediction for every file, in the order of ``paths``.

    Args:
        batch_size: inputs of the model in a batch; each crop of an image counts as one.
        threads: threads that decode ahead of the model.
        decoding: what files may be; the channels are the predictor's.
        on_error: "skip" yields a prediction with a ``reason`` for an unreadable file; "fail" raises.
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
        return _Prepared(path, predictor.prepare(image), thumbnail(image, THUMBNAIL_SIDE) if thumbnails else None)

    images = max(1, batch_size // predictor.crops)
    prepared = map_ahead(prepare, paths, threads, images + threads)
    while batch := list(islice(prepared, images)):
        unreadable = [each for each in batch if each.reason]
        if unreadable and on_error == "fail":
            first = UnreadableImageError(unreadable[0].path, unreadable[0].reason)
            raise UserError(f'{first}; mend or remove it, or pass on_error="skip"')
        readable = [each for each in batch if not each.reason]
        rows = iter(_probabilities(predictor, readable) if readable else ())
        for each in batch:
            row = np.empty(0) if each.reason else next(rows)
            yield Prediction(each.path, row, each.thumbnail, each.reason)


def _probabilities(predictor: "Predictor", batch: Sequence[_Prepared]) -> np.ndarray:
    inputs = [np.concatenate(arrays) for arrays in zip(*(each.inputs for each in batch), strict=True)]
    scores = predictor.scores(inputs).astype(np.float64)
    rows = scores.reshape(len(batch), predictor.crops, -1).mean(axis=1)
    sums = rows.sum(axis=1, keepdims=True)
    if not (rows.min() >= 0 and np.abs(sums - 1).max() < _ROUNDING):  # also true of NaN
        raise UserError(
            f"model: must give probabilities, which sum to 1; for {batch[0].path} it gave a sum of {sums[0, 0]:g} and "
            f"a minimum of {rows.min():g}; use a model that ends in softmax and was trained without overflow"
        )
    return rows / sums
