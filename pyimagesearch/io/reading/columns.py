"""Read what a data set keeps of every row beside the row itself, from one file or from all shards."""

import os

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.labels import read_paths
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.untrusted import read_dataset, read_strings


def read_column(header: Header, name: str) -> np.ndarray | None:
    """Return ``checksums`` or ``channel_sums`` of all rows, shape (n, ...), or None where there are none.

    Raises:
        UserError: a file cannot be read.
    """
    columns: list[np.ndarray | None] = []
    for each in () if header.plan else header.files:
        with open_file(each.path) as file:
            columns.append(read_dataset(file, name))
    found = [column for column in columns if column is not None]
    return np.concatenate(found) if found and len(found) == len(columns) else None


def read_row_paths(header: Header) -> list[str]:
    """Return the file that each row was made from, or an empty list where the data set does not say.

    Raises:
        UserError: a file cannot be read.
    """
    if header.plan:
        return read_paths(header.plan)
    paths: list[str] = []
    for each in header.files:
        with open_file(each.path) as file:
            paths += read_strings(file, "paths")
    return paths


def read_channel_means(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the mean of each channel of a file of 8-bit images, float64 of shape (channels,).

    Raises:
        UserError: the file cannot be used, or does not hold the sums of its rows.
    """
    header = read_header(path)
    n, height, width, _ = header.shape
    sums = read_column(header, "channel_sums")
    if sums is None:
        raise UserError(f"data set: {path} has no channel_sums; build it again")
    return sums.sum(axis=0, dtype=np.uint64) / (n * height * width)
