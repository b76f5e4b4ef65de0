"""The labelled images to explore: files of a folder or a CSV list, or rows of an HDF5 file."""

import abc
import logging
import os
from typing import Any

import cv2
import numpy as np

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.explore.look import ENOUGH, Look, colours, decode_small, find_oddities, look_at
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.format.dataset import check_images, read_header
from pyimagesearch.io.images.csvlist import is_image_list, list_images
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, largest_value, read_file
from pyimagesearch.io.images.folder import LabelFunction
from pyimagesearch.io.images.header import image_format
from pyimagesearch.io.images.walking import LeftOut
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.io.reading.rows import open_rows, warnings_of

logger = logging.getLogger(__name__)

_TRIED = 16  # rows that tell the range of stored pixels


class Images(abc.ABC):
    """Labelled images by index; any thread may read them.

    Attributes:
        labels: int64 ndarray of shape (n,).
        label_names: the classes.
        paths: what each image is called.
        left_out: what the listing left out.
    """

    labels: np.ndarray
    label_names: list[str]
    paths: list[str]
    left_out: LeftOut = LeftOut()

    @abc.abstractmethod
    def look(self, index: int) -> Look | str:
        """Return what is known of an image, or why it cannot be read."""

    @abc.abstractmethod
    def picture(self, index: int) -> np.ndarray | None:
        """Return an image, perhaps reduced, of shape (h, w, 3 or 1), uint8, BGR; None if unreadable."""


class ImageFiles(Images):
    """Image files; ``paths`` are relative to their folder.

    Args:
        path: a folder, or a CSV file.
        label_of: gives the class of a file of a folder by its path.
        decoding: which files to accept.
        listing: arguments of `list_images`.

    Raises:
        UserError: the path names no labelled images.
    """

    def __init__(
        self, path: str | os.PathLike[str], label_of: LabelFunction, decoding: Decoding, **listing: Any
    ) -> None:
        images = list_images(path, label_of, **listing)
        self._root, self._decoding = images.root, decoding
        self.paths, self.labels, self.label_names = images.paths, images.labels, images.label_names
        self.left_out = images.left_out

    def look(self, index: int) -> Look | str:
        """Return what is known of an image, or why it cannot be read."""
        path = self._root / self.paths[index]
        try:
            data = read_file(path)
            image = decode_small(data, os.fspath(path), self._decoding)
        except UnreadableImageError as error:
            return error.reason
        size, oddities = find_oddities(data, self.paths[index])
        largest = largest_value(data) if "deep" in oddities and self._decoding.max_value is None else 0
        width, height = size or (image.shape[1], image.shape[0])
        return look_at(data, image, width, height, image_format(data) or "unknown", oddities, largest)

    def picture(self, index: int) -> np.ndarray | None:
        """Return an image, perhaps reduced, of shape (h, w, 3 or 1), uint8, BGR; None if unreadable."""
        path = self._root / self.paths[index]
        try:
            return colours(decode_small(read_file(path), os.fspath(path), self._decoding))
        except UserError:
            return None


class ImageRows(Images):
    """Images of an HDF5 file, ours or the book's; without ``paths`` in the file they are called by their index.

    Raises:
        UserError: it is no such file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            header = read_header(path)
        except UnrecognisedError as error:
            if "scale" not in error.suggestion:
                raise
            header = read_header(path, Choices(scale="keep"))
        check_images(header)
        for warning in warnings_of(header, shuffled=False):
            logger.warning(warning)
        self.labels = header.labels
        named = len(header.label_names)
        self.label_names = header.label_names + [str(c) for c in range(named, int(header.labels.max()) + 1)]
        self.paths = read_row_paths(header) or [f"row {index}" for index in range(len(self.labels))]
        self._kind = f"{header.encoding} {header.dtype}"
        self._rgb = header.color_order == "RGB"
        self._rows = open_rows(header)
        self._scale = 1.0
        if header.dtype != np.uint8:
            tried = np.linspace(0, len(self.labels) - 1, min(_TRIED, len(self.labels))).astype(int).tolist()
            largest = max(float(np.max(row)) for row in self._rows.read(tried))
            self._scale = 255 / 65535 if largest > 255 else 255 if header.dtype.kind == "f" and largest <= 1 else 1

    def look(self, index: int) -> Look | str:
        """Return what is known of an image, or why it cannot be read."""
        try:
            image = self._read(index)
        except UserError as error:
            return str(error)
        height, width = image.shape[:2]
        return look_at(image.tobytes(), image, width, height, self._kind, {})

    def picture(self, index: int) -> np.ndarray | None:
        """Return an image, perhaps reduced, of shape (h, w, 3 or 1), uint8, BGR; None if unreadable."""
        try:
            image = self._read(index)
        except UserError:
            return None
        while min(image.shape[:2]) >= 2 * ENOUGH:
            image = np.atleast_3d(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        return image

    def _read(self, index: int) -> np.ndarray:
        image = self._rows.read([index])[0]
        if image.dtype != np.uint8:
            image = np.rint(np.nan_to_num(image) * self._scale).clip(0, 255).astype(np.uint8)
        image = colours(image)
        return np.ascontiguousarray(image[..., ::-1]) if self._rgb else image


def open_images(path: str, label_of: LabelFunction, decoding: Decoding, **listing: Any) -> Images:
    """Open the images of a folder, a CSV list or an HDF5 file.

    Args:
        path: on this machine; that of a folder or list may be a URL.
        label_of, decoding, listing: as of `ImageFiles`.

    Raises:
        UserError: the path names no labelled images.
    """
    if os.path.isfile(path) and not is_image_list(path):
        return ImageRows(path)
    return ImageFiles(path, label_of, decoding, **listing)
