"""Questions to data sets before they are used: what they hold, and whether they belong together."""

import os

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.columns import read_column
from pyimagesearch.io.fileformat import Header, read_header


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


def check_images(header: Header) -> None:
    """Raise a `UserError` unless a file holds images."""
    if len(header.shape) != 4:
        raise UserError(
            f"data set: {header.path} must hold images of shape (n, h, w, channels); it holds {header.key} of "
            f"shape {header.shape}; pass a file of the build step"
        )


def check_same_build(first: Header, second: Header) -> None:
    """Raise a `UserError` if two files were not made together, so that their splits may overlap."""
    if first.build != second.build or first.label_names != second.label_names:
        raise UserError(
            f"data set: {first.path} and {second.path} must come from one run of the build step, or "
            f"images of one may be in the other; received builds {first.build or 'unknown'} and "
            f"{second.build or 'unknown'}; run build_dogs_vs_cats --force"
        )


def is_finished(path: str | os.PathLike[str], build: str) -> bool:
    """Return whether a file that was to be made, or gone on with, is there already.

    Args:
        build: the mark that its writer would give it.

    Raises:
        UserError: another file is in its place.
    """
    if not os.path.exists(path):
        return False
    if read_header(path).build == build:
        return True
    raise UserError(
        f"--resume: {os.fspath(path)} exists and comes from another build, so there is nothing to go on with; "
        "pass --force to replace it, or choose another output"
    )
