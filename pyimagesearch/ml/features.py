"""Reads feature vectors for scikit-learn."""

import os

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.fileformat import header_of, open_file


def read_features(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return all feature vectors of a file, their labels, and the names of the classes.

    Returns:
        float32 ndarray of shape (n, d), int64 ndarray of shape (n,), list of k names.

    Raises:
        UserError: the file cannot be used, holds images, or too few rows of a class.
    """
    with open_file(path) as file:
        header = header_of(file)
        if len(header.shape) != 2:
            raise UserError(
                f"db: {os.fspath(path)} must hold features of shape (n, d); it holds {header.key} of "
                f"shape {header.shape}; run extract_features first"
            )
        counts = np.bincount(header.labels)
        if (counts > 0).sum() < 2 or counts[counts > 0].min() < 5:
            raise UserError(
                f"db: {os.fspath(path)} must hold at least 2 classes of 5 rows each; it holds "
                f"{counts.tolist()} rows of classes 0..{len(counts) - 1}; add images"
            )
        names = header.label_names or [str(number) for number in range(len(counts))]
        return file[header.key].astype(np.float32)[:], header.labels, names
