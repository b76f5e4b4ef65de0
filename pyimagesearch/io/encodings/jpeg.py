"""JPEG rows: consecutive in one dataset of bytes, with a table of their ends, and decoded when they are read."""

import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import cv2
import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import EncodedRow, RowReader, RowWriter, channel_sums, read_into
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.format.layout import allocate
from pyimagesearch.io.format.untrusted import damage_reported, damaged, open_dataset, read_dataset
from pyimagesearch.io.images.header import jpeg_layout

_ALIGNMENT = 2**20
_HEADER_BYTES = 2**13
_COPIED_AT_ONCE = 64 * 2**20


class JpegWriter(RowWriter):
    """Writes images as JPEG.

    How many bytes there will be is known only at the end. So they are written past everything else in the file, at an
    aligned place; the dataset made at the end then comes to lie just there.

    Args:
        dims: shape of all images, (n, h, w, channels).
        quality: from 1 to 100.
    """

    def __init__(self, dims: tuple[int, ...], quality: int) -> None:
        if dims[3] not in (1, 3):
            raise UserError(f'encoding: "jpeg" holds images of 1 or 3 channels; received {dims[3]}; use "raw"')
        self._rows, self._shape, self._quality = dims[0], dims[1:], quality
        self._ends = np.zeros(dims[0], np.uint64)
        self._ends_offset = self._place = self._count = self._position = 0

    def allocate(self, file: h5py.File) -> None:
        file.attrs["image_shape"] = self._shape
        file.attrs["quality"] = self._quality
        self._ends_offset = allocate(file, "jpeg_ends", (self._rows,), np.uint64)
        file.flush()
        ends_stop = self._ends_offset + self._ends.nbytes
        self._place = -(-(ends_stop + _HEADER_BYTES) // _ALIGNMENT) * _ALIGNMENT
        self.places = [(self._ends_offset, ends_stop), (self._place, sys.maxsize)]

    def load(self, file: BinaryIO) -> None:
        file.seek(self._ends_offset)
        read_into(file, self._ends)

    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        data = original
        if data is None:
            done, encoded = cv2.imencode(".jpg", row, (cv2.IMWRITE_JPEG_QUALITY, self._quality))
            if not done:
                raise UserError(f"rows: OpenCV could not encode an image of shape {row.shape} as JPEG")
            data = encoded.tobytes()
        return EncodedRow(data, zlib.crc32(data), channel_sums(row))

    def start(self, file: BinaryIO, rows: int) -> None:
        self._count = rows
        self._position = int(self._ends[rows - 1]) if rows else 0
        file.seek(self._place + self._position)

    def append(self, file: BinaryIO, rows: Sequence[EncodedRow]) -> int:
        begin = self._position
        for row in rows:
            self._position += file.write(row.data)
            self._ends[self._count] = self._position
            self._count += 1
        return self._position - begin

    def flush(self, file: BinaryIO, first: int, last: int) -> None:
        file.seek(self._ends_offset + first * self._ends.itemsize)
        file.write(self._ends[first:last].data)
        file.flush()

    def stored(self, file: BinaryIO) -> Iterator[bytes]:
        file.seek(self._place)
        begin = 0
        for end in self._ends.tolist():
            yield file.read(max(0, end - begin)) if end - begin < 2**31 else b""
            begin = end

    def finish(self, file: h5py.File) -> None:
        offset = allocate(file, "jpeg", (self._position,), np.uint8)
        if offset != self._place:  # less than 1 MiB of images, to which HDF5 gives a place of its choice
            self._move(file)

    def _move(self, file: h5py.File) -> None:
        with open(file.filename, "rb") as written:
            for begin in range(0, self._position, _COPIED_AT_ONCE):
                written.seek(self._place + begin)
                data = written.read(min(_COPIED_AT_ONCE, self._position - begin))
                file["jpeg"][begin : begin + len(data)] = np.frombuffer(data, np.uint8)


class JpegReader(RowReader):
    """Decodes images on the thread that asks for them.

    Args:
        header: the header of the file.
        file: the file, open.

    Raises:
        UserError: the images do not lie where the file says.
    """

    def __init__(self, header: Header, file: h5py.File) -> None:
        self._bytes = JpegBytes(header, file)
        if not self._bytes.in_order():
            raise UserError(
                f"data set: {header.path} must say in jpeg_ends where each image ends, in order and "
                f"within its {self._bytes.size:,} bytes; it does not; the file is damaged: build it again"
            )
        self._path, self._shape = header.path, header.shape[1:]
        self._flag = cv2.IMREAD_GRAYSCALE if self._shape[2] == 1 else cv2.IMREAD_COLOR

    def row(self, index: int) -> np.ndarray:
        """Return one decoded image.

        Raises:
            UserError: the bytes of a row are no image of the promised shape.
        """
        data = self._bytes.row(index)
        size = jpeg_layout(data.data)[1]  # read first: a bomb must not be decoded
        fits = size is not None and size[0] * size[1] == self._shape[0] * self._shape[1]
        image = cv2.imdecode(data, self._flag) if fits else None
        if image is not None and image.ndim == 2:
            image = image[:, :, None]
        if image is None or image.shape != self._shape:
            received = "no image" if size is None or fits else f"one of {size[1]}x{size[0]} pixels"
            raise UserError(
                f"data set: row {index} of {self._path} must be a JPEG image of shape {self._shape}; "
                f"received {received}; the file is damaged: verify it, and build it again"
            )
        return image

    def close(self) -> None:
        self._bytes.close()


class JpegBytes(RowReader):
    """The bytes of JPEG images, as views into the file's memory map.

    Attributes:
        size: bytes of all images.
    """

    def __init__(self, header: Header, file: h5py.File) -> None:
        jpeg, ends = open_dataset(file, "jpeg"), read_dataset(file, "jpeg_ends")
        with damage_reported(header.path):
            offset = None if jpeg is None else jpeg.id.get_offset()
        if jpeg is None or ends is None or offset is None or jpeg.ndim != 1 or ends.dtype.kind not in "iu":
            raise damaged(header.path, f"jpeg must be one block of bytes, and jpeg_ends whole numbers; it has {jpeg}")
        self.size = len(jpeg)
        with damage_reported(header.path):
            self._blob = np.memmap(header.path, np.uint8, "r", offset, jpeg.shape).view(np.ndarray)
        self._ends = ends.astype(np.int64)
        self._starts = np.concatenate((np.zeros(1, np.int64), self._ends[:-1]))

    def in_order(self) -> bool:
        """Return whether all images lie where they can, each after the one before."""
        return bool((self._starts < self._ends).all() and self._starts[0] >= 0 and self._ends[-1] <= self.size)

    def row(self, index: int) -> np.ndarray:
        """Return the bytes of one image; none where they would lie outside the dataset."""
        start, stop = self._starts[index], self._ends[index]
        return self._blob[start:stop] if 0 <= start < stop <= self.size else self._blob[:0]

    def close(self) -> None:
        """Unmap the file, once no view of it is left."""
        self._blob = np.empty(0, np.uint8)
