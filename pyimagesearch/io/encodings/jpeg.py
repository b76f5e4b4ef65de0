"""JPEG rows: how they are encoded, found and decoded."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import cv2
import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import EncodedRow, channel_sums, read_into
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.format.layout import allocate
from pyimagesearch.io.images.header import jpeg_layout

_ALIGNMENT = 2**20


_HEADER_BYTES = 2**13


_COPIED_AT_ONCE = 64 * 2**20


class JpegStore:
    """JPEG images one behind the other in a dataset of bytes, and where each of them ends.

    How many bytes there will be is known only at the end. They are written behind everything else in
    the file, at an aligned place; the dataset made at the end then comes to lie just there.
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
        self._set_place(file)

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(self._ends_offset, self._ends_offset + self._ends.nbytes)]

    @property
    def rows_at(self) -> int:
        return self._place

    def reserve(self, file: BinaryIO, path: Path) -> None:
        del file, path  # who knows how much it will be

    def load(self, file: BinaryIO) -> None:
        file.seek(self._ends_offset)
        read_into(file, self._ends)

    def _set_place(self, file: h5py.File) -> None:
        file.flush()
        end = file["jpeg_ends"].id.get_offset() + file["jpeg_ends"].nbytes
        self._place = -(-(end + _HEADER_BYTES) // _ALIGNMENT) * _ALIGNMENT

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
            self._move(file, offset)

    def _move(self, file: h5py.File, offset: int) -> None:
        with open(file.filename, "rb") as written:
            for begin in range(0, self._position, _COPIED_AT_ONCE):
                written.seek(self._place + begin)
                part = written.read(min(_COPIED_AT_ONCE, self._position - begin))
                file["jpeg"][begin : begin + len(part)] = np.frombuffer(part, np.uint8)


class JpegRows:
    """JPEG images, decoded on the thread that asks for them."""

    def __init__(self, header: Header, file: h5py.File) -> None:
        blob, ends = file["jpeg"], file["jpeg_ends"][:].astype(np.uint64)
        offset = blob.id.get_offset()
        starts = np.concatenate((np.zeros(1, np.uint64), ends[:-1]))
        if offset is None or (starts >= ends).any() or ends[-1] > blob.size:
            raise UserError(
                f"data set: {header.path} must say in jpeg_ends where each image ends, in order and "
                f"within its {blob.size:,} bytes; it does not; the file is damaged: build it again"
            )
        self._blob = np.memmap(header.path, np.uint8, "r", offset, blob.shape).view(np.ndarray)
        self._starts, self._ends = starts.astype(np.int64), ends.astype(np.int64)
        self._path, self._shape = header.path, header.shape[1:]
        self._flag = cv2.IMREAD_GRAYSCALE if self._shape[2] == 1 else cv2.IMREAD_COLOR

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return the decoded images at ``numbers``.

        Raises:
            UserError: the bytes of a row are no image of the promised shape.
        """
        return [self.row(i) for i in numbers]

    def row(self, number: int) -> np.ndarray:
        """Return one decoded image; otherwise as `read`."""
        data = self._blob[self._starts[number] : self._ends[number]]
        size = jpeg_layout(data.data)[1]  # looked at first: a bomb must not be decoded
        fits = size is not None and size[0] * size[1] == self._shape[0] * self._shape[1]
        image = cv2.imdecode(data, self._flag) if fits else None
        if image is not None and image.ndim == 2:
            image = image[:, :, None]
        if image is None or image.shape != self._shape:
            received = "no image" if size is None or fits else f"one of {size[1]}x{size[0]} pixels"
            raise UserError(
                f"data set: row {number} of {self._path} must be a JPEG image of shape {self._shape}; "
                f"received {received}; the file is damaged: check it with python -m pyimagesearch.io --verify, "
                "and build it again"
            )
        return image

    def close(self) -> None:
        """Unmap the file, once no view of it is left."""
        self._blob = np.empty(0, np.uint8)
