"""The rows of an HDF5 file of images, as the survey sees them."""

import os

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.explore.look import ENOUGH, Look, colours, look_at
from pyimagesearch.io.format.dataset import check_images, read_header
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.io.reading.rows import open_rows

_TRIED = 16  # rows that tell in what range pixels are stored


class ImageRows:
    """Labelled images of an HDF5 file, ours or the book's.

    Attributes:
        labels: int64 ndarray of shape (n,).
        label_names: the classes' names; numbers where the file has none.
        paths: the file that each row was made from, or its number where nobody knows.
        other_files: empty.

    Raises:
        UserError: it is no such file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        header = read_header(path)
        check_images(header)
        self.labels = header.labels
        named = len(header.label_names)
        self.label_names = header.label_names + [str(c) for c in range(named, int(header.labels.max()) + 1)]
        self.paths = read_row_paths(header) or [f"row {row}" for row in range(len(self.labels))]
        self.other_files: dict[str, int] = {}
        self._kind = f"{header.encoding} {header.dtype}"
        self._rgb = header.color_order == "RGB"
        self._rows = open_rows(header)
        self._scale = 1.0
        if header.dtype != np.uint8:
            tried = np.linspace(0, len(self.labels) - 1, min(_TRIED, len(self.labels))).astype(int).tolist()
            largest = max(float(np.max(row)) for row in self._rows.read(tried))
            self._scale = 255 / 65535 if largest > 255 else 255 if header.dtype.kind == "f" and largest <= 1 else 1

    def look(self, row: int) -> Look | str:
        """Return the look of the image at ``row``, or why it cannot be read; any thread may call this."""
        try:
            image = self._read(row)
        except UserError as error:
            return str(error)
        height, width = image.shape[:2]
        return look_at(image.tobytes(), image, width, height, self._kind, {})

    def picture(self, row: int) -> np.ndarray | None:
        """Return the image at ``row``, perhaps reduced, of shape (h, w, 3 or 1), uint8, BGR; None if unreadable."""
        try:
            image = self._read(row)
        except UserError:
            return None
        while min(image.shape[:2]) >= 2 * ENOUGH:
            image = np.atleast_3d(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        return image

    def _read(self, row: int) -> np.ndarray:
        image = self._rows.read([row])[0]
        if image.dtype != np.uint8:
            image = np.rint(np.nan_to_num(image) * self._scale).clip(0, 255).astype(np.uint8)
        image = colours(image)
        return np.ascontiguousarray(image[..., ::-1]) if self._rgb else image
