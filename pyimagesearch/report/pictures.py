"""The images that a record names, found again in the data files or among the image files, and put into the page."""

import base64
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.explore.images import ImageRows
from pyimagesearch.explore.look import decode_small
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.utils.thumbnails import thumbnail

SIDE = 112
"""Longer side of a picture, in pixels."""

_QUALITY = 72


@dataclass(frozen=True)
class Picture:
    """A picture that is in the page.

    Attributes:
        source: a ``data:`` address.
        width, height: in pixels.
        alt: what it shows, for screen readers.
    """

    source: str
    width: int
    height: int
    alt: str


def picture(image: np.ndarray, alt: str, side: int = SIDE) -> Picture:
    """Return an image as a picture of the page; a small one keeps its size.

    Args:
        image: ndarray of shape (h, w, 3), BGR, or (h, w[, 1]), gray, uint8.
        side: the longer side, in pixels.
    """
    small = thumbnail(image, side, enlarge=False)
    data = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])[1].tobytes()
    return Picture(f"data:image/webp;base64,{base64.b64encode(data).decode()}", small.shape[1], small.shape[0], alt)


class Pictures:
    """Looks for images by their path, or by their row where they have none.

    Args:
        data_files: HDF5 files of images; those that are missing, or hold something else, are skipped.
        folder: of the image files that paths are relative to, or the CSV file in it; None if unknown.
    """

    def __init__(self, data_files: Iterable[str | Path], folder: str | Path | None = None) -> None:
        self.files: dict[str, ImageRows] = {}
        for path in dict.fromkeys(map(str, data_files)):
            with contextlib.suppress(UserError):
                self.files[path] = ImageRows(path)
        self._places = {
            path: (rows, row) for rows in reversed(self.files.values()) for row, path in enumerate(rows.paths)
        }
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None and not self._folder.is_dir():
            self._folder = self._folder.parent

    def find(
        self, path: str | None, label: str | None = None, row: int | None = None, file: str | None = None
    ) -> np.ndarray | None:
        """Return the image of a path, ndarray of shape (h, w, 3 or 1), uint8, BGR; None if it is gone.

        Args:
            label: the class that it must have; any if None.
            row, file: its row and its data file, for an image without a path.
        """
        if path is None:
            rows = self.files.get(str(file))
            fits = rows is not None and row is not None and row < len(rows.labels)
            return _picture(rows, row, label) if fits else None  # type: ignore[arg-type]
        if path in self._places:
            return _picture(*self._places[path], label)
        return self._decode(path)

    def _decode(self, path: str) -> np.ndarray | None:
        if self._folder is None:
            return None
        with contextlib.suppress(UserError, OSError, ValueError):
            file = (self._folder / path).resolve()
            if file.is_relative_to(self._folder.resolve()):  # a record may name anything
                return decode_small(file.read_bytes(), path, Decoding())
        return None


def _picture(rows: ImageRows, row: int, label: str | None) -> np.ndarray | None:
    if label is not None and rows.label_names[rows.labels[row]] != label:
        return None
    return rows.picture(row)
