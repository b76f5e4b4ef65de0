"""Files of every kind give the same rows, however they lie on disk."""

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import metadata_checksum
from pyimagesearch.io.reading.rows import open_rows

CONTENT = np.random.default_rng(2).integers(0, 256, (11, 6, 5, 3), np.uint8)

LAYOUTS = {
    "contiguous": {},
    "one image a chunk": {"chunks": (1, 6, 5, 3)},
    "four images a chunk": {"chunks": (4, 6, 5, 3)},
    "images cut up": {"chunks": (2, 3, 5, 3)},
    "chunks of h5py's choice": {"chunks": True},
    "gzip": {"chunks": (2, 6, 5, 3), "compression": "gzip"},
    "lzf and shuffle": {"compression": "lzf", "shuffle": True},
    "growing": {"maxshape": (None, 6, 5, 3), "chunks": (3, 6, 5, 3)},
}


def read(path, numbers):
    rows = open_rows(read_header(path))
    result = [row.copy() for row in rows.read(numbers)]
    rows.close()
    return np.stack(result)


def write(path, content, key="images", **layout):
    with h5py.File(path, "w") as file:
        file.create_dataset(key, data=content, **layout)
        file["labels"] = np.zeros(len(content), np.int64)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "float64", "float32", ">f4", ">u2"])
def test_rows_come_out_as_they_went_in(tmp_path, layout, dtype):
    path = write(tmp_path / "a.hdf5", CONTENT.astype(dtype), **LAYOUTS[layout])
    numbers = [7, 0, 10, 3, 3]
    np.testing.assert_array_equal(read(path, numbers), CONTENT[numbers].astype(dtype))


def test_feature_vectors_are_rows_too(tmp_path, rng):
    features = rng.normal(size=(9, 4)).astype(np.float32)
    path = write(tmp_path / "a.hdf5", features, key="feature")
    np.testing.assert_array_equal(read(path, [8, 1]), features[[8, 1]])


def test_chunks_that_were_never_written_read_as_their_fill_value(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        rows = file.create_dataset("images", (6, 4, 4, 3), "uint8", chunks=(1, 4, 4, 3), fillvalue=9)
        rows[2] = 5
        file["labels"] = np.zeros(6, np.int64)
    with pytest.raises(UserError, match="5 chunks of images were never written"):
        read_header(tmp_path / "a.hdf5")
    rows = open_rows(read_header(tmp_path / "a.hdf5", Choices(rows=6)))
    np.testing.assert_array_equal(np.stack(rows.read([1, 2]))[:, 0, 0, 0], [9, 5])


def test_rows_may_be_a_virtual_dataset(tmp_path):
    write(tmp_path / "source.hdf5", CONTENT)
    layout = h5py.VirtualLayout((11, 6, 5, 3), "uint8")
    source = h5py.VirtualSource(tmp_path / "source.hdf5", "images", CONTENT.shape)
    layout[:5], layout[5:] = source[6:], source[:6]
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file.create_virtual_dataset("images", layout)
        file["labels"] = np.zeros(11, np.int64)
    np.testing.assert_array_equal(read(tmp_path / "a.hdf5", [4, 10]), CONTENT[[10, 5]])


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_images_are_decoded(write_dataset, channels):
    smooth = np.stack([cv2.resize(image, (24, 16)) for image in CONTENT])[..., :channels]
    path = write_dataset(np.ascontiguousarray(smooth), encoding="jpeg", quality=95)
    flag = cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE
    for number, row in zip([9, 0], read(path, [9, 0]), strict=True):
        encoded = cv2.imencode(".jpg", smooth[number], (cv2.IMWRITE_JPEG_QUALITY, 95))[1]
        np.testing.assert_array_equal(row, cv2.imdecode(encoded, flag).reshape(16, 24, channels))


class TestDamagedJpeg:
    @pytest.fixture
    def path(self, write_dataset):
        return write_dataset(CONTENT, encoding="jpeg")

    @pytest.mark.parametrize("damage", [lambda ends: ends[::-1], lambda ends: ends * 2, lambda ends: ends * 0])
    def test_ends_that_make_no_sense_are_refused(self, path, damage):
        with h5py.File(path, "r+") as file:
            file["jpeg_ends"][:] = damage(file["jpeg_ends"][:])
        with pytest.raises(UserError, match=r"must say in jpeg_ends where each image ends, .* build it again"):
            open_rows(read_header(path))

    def test_bytes_that_are_no_image_are_refused(self, path):
        with h5py.File(path, "r+") as file:
            first, second = file["jpeg_ends"][:2].tolist()
            file["jpeg"][first:second] = 0
        np.testing.assert_array_equal(read(path, [0]).shape, (1, 6, 5, 3))
        with pytest.raises(
            UserError, match=r"row 1 of .* must be a JPEG image of shape \(6, 5, 3\); received no image"
        ):
            read(path, [1])

    def test_an_image_of_another_size_is_refused(self, path):
        with h5py.File(path, "r+") as file:
            file.attrs["image_shape"] = (6, 6, 3)
            file.attrs["checksum"] = metadata_checksum(file)
        with pytest.raises(UserError, match=r"of shape \(6, 6, 3\); received one of 6x5 pixels; the file is damaged"):
            read(path, [0])
