"""What data sets keep of every row beside the row itself, from one file or from all shards."""

import numpy as np

from pyimagesearch.io.fileformat import Header, open_file, read_strings
from pyimagesearch.io.untrusted import damage_reported, open_dataset


def read_column(header: Header, name: str) -> np.ndarray | None:
    """Return ``checksums`` or ``channel_sums`` of all rows, shape (n, ...), or None where there are none.

    Raises:
        UserError: a file cannot be read.
    """
    columns = []
    for part in header.parts:
        with open_file(part.path) as file, damage_reported(part.path):
            dataset = open_dataset(file, name)
            columns.append(None if dataset is None else dataset[:])
    found = [column for column in columns if column is not None]
    return np.concatenate(found) if found and len(found) == len(columns) else None


def read_row_paths(header: Header) -> list[str]:
    """Return the file that each row was made from, or an empty list where the data set does not say.

    Raises:
        UserError: a file cannot be read.
    """
    paths: list[str] = []
    for part in header.parts:
        with open_file(part.path) as file, damage_reported(part.path):
            paths += read_strings(file, "paths")
    return paths
