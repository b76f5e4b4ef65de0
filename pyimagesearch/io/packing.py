"""Packs image files into an HDF5 data set: decoding on all processors, writing behind it."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.imagefile import UnreadableImageError, read_image
from pyimagesearch.io.imagefolder import ImageFolder
from pyimagesearch.utils.parallel import map_ahead
from pyimagesearch.utils.progress import progress

_AHEAD_PER_THREAD = 8
_NAMED_IN_ERROR = 5


def pack(images: ImageFolder, writer: HDF5DatasetWriter, resize: Any, threads: int, label: str) -> np.ndarray:
    """Read all images, resize them and add them to ``writer`` in order.

    Args:
        resize: a preprocessor that gives every image the writer's shape.
        threads: threads that decode.
        label: what the progress bar says.

    Returns:
        float64 ndarray of shape (3,): the mean of each channel over all pixels, in [0, 255], in the
        order of the pixels (BGR). Equal images give equal means: the sums are whole numbers.

    Raises:
        UserError: images cannot be read; the message names them.
    """

    def load(path: str) -> tuple[np.ndarray, Sequence[float]]:
        image = resize.preprocess(read_image(images.root / path))
        return image, cv2.sumElems(image)[:3]

    sums, pixels = np.zeros(3), 0
    loaded = map_ahead(load, images.paths, threads, threads * _AHEAD_PER_THREAD)
    try:
        for i, (image, total) in enumerate(progress(loaded, len(images.paths), label)):
            writer.add(image[None], images.labels[i : i + 1], images.paths[i : i + 1])
            sums += total
            pixels += image.shape[0] * image.shape[1]
    except UnreadableImageError as error:
        raise _all_unreadable(images, threads, error) from error
    return sums / pixels


def find_unreadable(images: ImageFolder, threads: int, label: str) -> dict[int, str]:
    """Decode every image once; return why it cannot be read for each one that cannot, by its row."""

    def check(path: str) -> str | None:
        try:
            read_image(images.root / path)
        except UnreadableImageError as error:
            return error.reason
        return None

    reasons = map_ahead(check, images.paths, threads, threads * _AHEAD_PER_THREAD)
    checked = enumerate(progress(reasons, len(images.paths), label))
    return {row: reason for row, reason in checked if reason is not None}


def _all_unreadable(images: ImageFolder, threads: int, first: UnreadableImageError) -> UserError:
    bad = find_unreadable(images, threads, "Looking for more unreadable images")
    if not bad:  # it could be read a moment later: somebody is changing the folder
        return first
    named = [f"{images.paths[row]} ({reason})" for row, reason in bad.items()]
    more = f" and {len(named) - _NAMED_IN_ERROR:,} more" if len(named) > _NAMED_IN_ERROR else ""
    return UserError(
        f"dataset: {len(bad):,} of {len(images.paths):,} images in {images.root} cannot be read: "
        f"{'; '.join(named[:_NAMED_IN_ERROR])}{more}; mend or remove them, or leave them out with "
        "--on-error skip"
    )
