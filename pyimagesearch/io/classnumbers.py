"""Labels as they stand in files: whole numbers in any dtype, in files of ours and of other makers."""

from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.errors import UserError

_MOST_CLASSES = 2**20


def read_class_numbers(labels: h5py.Dataset, path: Path) -> np.ndarray:
    """Return a dataset of labels as int64 ndarray of shape (n,).

    Raises:
        UserError: they are no whole numbers from 0 on, below 2**20.
    """
    numbers = labels[:]
    if numbers.dtype.kind not in "iuf":
        raise UserError(
            f"data set: the labels of {path} must be whole numbers from 0 on; received dtype {numbers.dtype}; "
            "store class numbers, and names in label_names"
        )
    with np.errstate(invalid="ignore"):
        classes = numbers.astype(np.int64)
    wrong = np.flatnonzero((classes != numbers) | (classes < 0) | (classes >= _MOST_CLASSES))
    if len(wrong):
        raise UserError(
            f"data set: the labels of {path} must be whole numbers from 0 on; received dtype {numbers.dtype}, row "
            f"{wrong[0]} has {numbers[wrong[0]]}; store class numbers below {_MOST_CLASSES:,}, and names in label_names"
        )
    return classes
