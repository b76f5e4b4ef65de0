"""Reads images that are stored one by one: as datasets of their own, or as the bytes of image files."""

import threading
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import Axes, inner_axes
from pyimagesearch.io.foreign.color import interlace_mode
from pyimagesearch.io.foreign.links import find_dataset
from pyimagesearch.io.foreign.listing import read_attributes
from pyimagesearch.io.foreign.plan import Plan

_ROWS_AT_ONCE = 64


class ImageRows:
    """Images of a plan whose form is "files" or "each"; those of other sizes are resized where the user told a size."""

    band_bytes = 0

    def __init__(self, file: h5py.File, plan: Plan) -> None:
        self._file, self._plan = file, plan
        self._dataset = find_dataset(file, plan.images) if plan.form == "files" else None
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._plan)

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the rows from ``first`` to before ``last`` in order: a row's number, and ndarray (k, h, w, c)."""
        last = len(self) if last is None else last
        for start in range(first, last, _ROWS_AT_ONCE):
            yield start, self.read(range(start, min(start + _ROWS_AT_ONCE, last)))

    def read(self, rows: Sequence[int]) -> np.ndarray:
        """Return rows by number as a new ndarray of shape (k, h, w, c).

        Raises:
            UserError: a row is no image, or one of another size.
        """
        return np.stack([self.image(int(row)) for row in rows])

    def image(self, row: int) -> np.ndarray:
        """Return one image in the plan's shape, as far as that is known: ndarray (h, w, c)."""
        pixels = self._pixels(row)
        height, width, channels = self._plan.shape[1:]
        if self._plan.choices.size and pixels.shape[:2] != (height, width):
            import cv2

            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)
        if pixels.shape[2] == 1 and channels == 3:
            pixels = pixels.repeat(3, axis=2)
        if height and pixels.shape != (height, width, channels):
            raise UserError(
                f"images: must have one size; row {row} is {pixels.shape[0]}x{pixels.shape[1]}, the first "
                f"{height}x{width}; tell size to resize them"
            )
        return pixels

    def zero(self, rows: Sequence[int]) -> np.ndarray:
        """Return for each row whether nothing but zeros is stored: bool ndarray (k,)."""
        stored = map(self._stored, rows)
        return np.array([not (any(each) if isinstance(each, bytes) else each.any()) for each in stored])

    def _stored(self, row: int) -> bytes | np.ndarray:
        """Return what is stored for a row: pixels, or the bytes of an image file."""
        with self._lock:
            if self._dataset is not None:
                return _bytes(self._dataset[tuple(map(int, np.unravel_index(row, self._dataset.shape)))])
            dataset = find_dataset(self._file, self._plan.members[row])
            value = dataset[()]
        if not isinstance(value, np.ndarray) or value.ndim < 2:
            return _bytes(value)
        attributes = read_attributes(dataset)
        letters = inner_axes(value.shape, "MATLAB_class" in attributes, interlace_mode(attributes))
        return Axes(f"n{letters}").arrange(value[np.newaxis])[0]

    def _pixels(self, row: int) -> np.ndarray:
        stored = self._stored(row)
        return decode(stored, row) if isinstance(stored, bytes) else stored


def decode(data: bytes, row: int) -> np.ndarray:
    """Return the pixels of an image file, uint8 ndarray (h, w, 3), BGR.

    Raises:
        UserError: it is none, or cut off.
    """
    import cv2

    cut_off = data.startswith(b"\xff\xd8") and b"\xff\xd9" not in data.rstrip(b"\0")[-64:]  # which OpenCV would not say
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None or cut_off:
        what = "empty" if not data else "a JPEG file that is cut off" if cut_off else "no image file"
        raise UserError(f"images: every row must be a whole image file; row {row} is {what}")
    return pixels


def _bytes(value: object) -> bytes:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value)  # type: ignore[call-overload]
