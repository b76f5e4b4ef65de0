"""The images that a record names, found again in the data files or among the image files."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.explore.imagerows import ImageRows
from pyimagesearch.explore.look import decode_small
from pyimagesearch.io.images.decoding import Decoding


class Pictures:
    """Looks for images by their path, or by their row where they have none.

    Args:
        data_files: HDF5 files of images; those that are missing, or hold something else, are passed over.
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
        """Return the image of a path, ndarray of shape (h, w, 3 or 1), uint8, BGR; None if it is not there any more.

        Args:
            label: the class that it must have; any if None.
            row, file: where it lies, for an image without a path.
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
