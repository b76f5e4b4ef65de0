"""HDF5 files of predictions.

Any HDF5 tool reads them:

================= =====================================================================
``predictions``   (n,) int64: the predicted class of each row
``labels``        (n,) int64: the true one
``label_names``   (k,) UTF-8: the names of classes 0 to k - 1
``probabilities`` (n, k) float32, if there are any
``rows``          (n,) int64: the index of each row in its data set
``paths``         (n,) UTF-8, if the data set has them: the image's file
================= =====================================================================
"""

from collections.abc import Sequence

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.layout import write_strings
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.utils.atomic import PathLike, replacing


def read_paths(dataset: PathLike, count: int) -> list[str] | None:
    """Return the file that each row of a data set was made from; None if the data set does not say.

    Args:
        count: rows of the data set.

    Raises:
        UserError: the data set cannot be read, or has another number of paths.
    """
    paths = read_row_paths(read_header(dataset))
    if paths and len(paths) != count:
        raise UserError(
            f"data set: {dataset} must have a path for each of its {count:,} rows, or none; it has {len(paths):,}; "
            "build it again"
        )
    return paths or None


def write_predictions(
    path: PathLike,
    predictions: np.ndarray,
    labels: np.ndarray,
    label_names: Sequence[str],
    probabilities: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    paths: Sequence[str] | None = None,
) -> None:
    """Write predictions atomically; an older file is replaced.

    Args:
        path: the file.
        predictions: predicted classes, of shape (n,).
        labels: true classes, of shape (n,).
        label_names: the k classes.
        probabilities: of shape (n, k), if there are any.
        rows: of shape (n,): their indices in the data set; 0 to n - 1 if None.
        paths: of the n images, if they are known.
    """
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file["predictions"] = np.asarray(predictions, np.int64)
        file["labels"] = np.asarray(labels, np.int64)
        file["rows"] = np.arange(len(labels)) if rows is None else np.asarray(rows, np.int64)
        if probabilities is not None:
            file["probabilities"] = np.asarray(probabilities, np.float32)
        write_strings(file, "label_names", list(label_names))
        if paths is not None:
            write_strings(file, "paths", list(paths))


def read_classes(path: PathLike) -> dict[str, tuple[str, str]]:
    """Return the true and the predicted class of each image of a file of predictions, by its path; {} without paths.

    Raises:
        UserError: the file is not there, or holds no predictions.
    """
    try:
        with h5py.File(path) as file:
            if "paths" not in file:
                return {}
            names = file["label_names"].asstr()[:]
            truth, predicted = (names[file[column][:]] for column in ("labels", "predictions"))
            return dict(zip(file["paths"].asstr()[:], zip(truth, predicted, strict=True), strict=True))
    except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
        raise UserError(f"predictions: {path} must be a file of predictions; {error}") from error
