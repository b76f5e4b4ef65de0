"""Images stored as JPEG, beside the same stored as raw pixels."""

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.building.packing import pack
from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.images.decoding import read_image
from pyimagesearch.io.images.folder import label_from_name, list_image_folder
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.preprocessing import AspectAwarePreprocessor, PatchPreprocessor

SIZE = 48


def smooth_image(number, height=SIZE, width=SIZE):
    rng = np.random.default_rng(number)
    return cv2.resize(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), (width, height))


@pytest.fixture
def folder(tmp_path):
    """Photographs of two sizes: every third has the size that is stored."""
    root = tmp_path / "images"
    root.mkdir()
    for i in range(12):
        image = smooth_image(i) if i % 3 == 0 else smooth_image(i, 60, 90)
        cv2.imwrite(str(root / f"{'cat' if i % 2 else 'dog'}.{i:02}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return list_image_folder(root, label_from_name)


def build(images, path, channels=3, **options):
    with HDF5DatasetWriter((len(images.paths), SIZE, SIZE, channels), path, **options) as writer:
        writer.store_class_labels(images.label_names)
        pack(images, writer, AspectAwarePreprocessor(SIZE, SIZE))
    return path


def rows(path, **options):
    loader = BatchLoader(path, 5, dtype="uint8", **options)
    images = np.concatenate([loader.batch(0, i) for i in range(len(loader))])
    loader.close()
    return images


def test_jpeg_rows_are_those_of_raw_but_for_compression(folder, tmp_path):
    raw = rows(build(folder, tmp_path / "raw.hdf5")).astype(int)
    jpeg = rows(build(folder, tmp_path / "jpeg.hdf5", encoding="jpeg", quality=95)).astype(int)
    assert raw.shape == jpeg.shape == (12, SIZE, SIZE, 3)
    assert 0 < np.abs(raw - jpeg).mean() < 3


def test_a_jpeg_file_of_the_right_size_is_stored_as_it_is(folder, tmp_path):
    path = build(folder, tmp_path / "jpeg.hdf5", encoding="jpeg")
    with h5py.File(path) as file:
        ends = [0, *file["jpeg_ends"][:].tolist()]
        for i, name in enumerate(file["paths"].asstr()[:]):
            stored = file["jpeg"][ends[i] : ends[i + 1]].tobytes()
            original = (folder.root / name).read_bytes()
            same_size = cv2.imread(str(folder.root / name)).shape[:2] == (SIZE, SIZE)
            assert (stored == original) == same_size
    first = [int(name.split(".")[1]) for name in folder.paths].index(0)
    assert (rows(path)[first] == read_image(folder.root / folder.paths[first])).all()


def test_means_are_those_of_the_pixels_before_compression(folder, tmp_path):
    with h5py.File(build(folder, tmp_path / "raw.hdf5")) as raw:
        expected = raw["images"][:].sum(axis=(1, 2), dtype=np.uint64)
        assert (raw["channel_sums"][:] == expected).all()
    with h5py.File(build(folder, tmp_path / "jpeg.hdf5", encoding="jpeg")) as jpeg:
        assert (jpeg["channel_sums"][:] == expected).all()


def test_the_same_preprocessors_run_on_both_encodings(folder, tmp_path):
    for encoding in ("raw", "jpeg"):
        path = build(folder, tmp_path / f"{encoding}.hdf5", encoding=encoding)
        whole = rows(path)
        loader = BatchLoader(path, 4, [PatchPreprocessor(SIZE, 20)], dtype="uint8", shuffle=True, seed=1)
        for index in range(len(loader)):
            for row, patch in zip(loader.rows(3, index), loader.batch(3, index), strict=True):
                tops = [t for t in range(SIZE - 19) if (whole[row, t : t + 20] == patch).all()]
                assert tops
        loader.close()


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_gray_images_keep_one_channel(folder, tmp_path, encoding):
    gray = rows(build(folder, tmp_path / "gray.hdf5", channels=1, encoding=encoding, quality=95))
    assert gray.shape == (12, SIZE, SIZE, 1)
    colour = rows(build(folder, tmp_path / "colour.hdf5"))
    expected = np.stack([cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in colour])
    assert np.abs(gray[..., 0].astype(int) - expected).mean() < 3


def test_four_channels_are_kept_raw(tmp_path):
    root = tmp_path / "images"
    root.mkdir()
    image = np.dstack([smooth_image(0), np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 256]).astype(np.uint8)
    cv2.imwrite(str(root / "cat.0.png"), image)
    images = list_image_folder(root, label_from_name)
    path = build(images, tmp_path / "four.hdf5", channels=4)
    assert (rows(path)[0] == image).all()


def test_jpeg_refuses_channels_that_it_cannot_hold(tmp_path):
    with pytest.raises(UserError, match='encoding: "jpeg" holds images of 1 or 3 channels; received 4'):
        HDF5DatasetWriter((1, 8, 8, 4), tmp_path / "x.hdf5", encoding="jpeg")
    with pytest.raises(UserError, match='encoding: "jpeg" needs dims'):
        HDF5DatasetWriter((1, 8), tmp_path / "x.hdf5", "features", encoding="jpeg")
    with pytest.raises(UserError, match='encoding: must be "raw" or "jpeg"; received \'png\''):
        HDF5DatasetWriter((1, 8, 8, 3), tmp_path / "x.hdf5", encoding="png")


def test_large_jpeg_data_lies_where_it_was_written(tmp_path):
    """More than a MiB of JPEG data takes the path that never copies it."""
    images = np.stack([cv2.resize(smooth_image(i), (256, 256)) for i in range(20)])
    images ^= np.random.default_rng(0).integers(0, 32, images.shape, dtype=np.uint8)
    path = tmp_path / "large.hdf5"
    with HDF5DatasetWriter(images.shape, path, encoding="jpeg", quality=100) as writer:
        writer.add(images, np.zeros(20, int))
    with h5py.File(path) as file:
        assert file["jpeg"].nbytes > 2**20
        assert file["jpeg"].id.get_offset() % 2**20 == 0
    assert np.abs(rows(path).astype(int) - images).mean() < 12


@pytest.mark.parametrize(
    ("name", "value"), [("jpeg_ends", [10, 5, 20, 30]), ("jpeg_ends", [10, 20, 30, 10**15]), ("jpeg", 0)]
)
def test_damaged_jpeg_data_is_refused(tmp_path, name, value):
    path = tmp_path / "damaged.hdf5"
    with HDF5DatasetWriter((4, 16, 16, 3), path, encoding="jpeg") as writer:
        writer.add(np.zeros((4, 16, 16, 3), np.uint8), [0, 1, 0, 1])
    with h5py.File(path, "r+") as file:
        file[name][...] = value
    with pytest.raises(UserError, match=r"damaged: (build it again|verify it)"):
        rows(path)


def test_the_table_of_ends_of_a_large_file_is_not_overwritten(tmp_path):
    """Images begin on whole MiB: the table is made to end just after one, where they would fit too early."""
    images = [np.full((1, 1, 3), value, np.uint8) for value in (0, 90, 255)]

    def write(path, rows):
        with HDF5DatasetWriter((rows, 1, 1, 3), path, encoding="jpeg", buf_size=rows) as writer:
            encoded = [writer.encode(image) for image in images]
            writer.add_encoded([encoded[i % 3] for i in range(rows)], np.arange(rows) % 3)
        with h5py.File(path) as file:
            ends = file["jpeg_ends"]
            assert int(ends[-1]) == sum(len(encoded[i % 3].data) for i in range(rows))
            return ends.id.get_offset() + ends.nbytes, file["jpeg"].id.get_offset()

    a_row = 8 + 4 + 3 * 8 + 8  # bytes of label, checksum, sums and end
    before = write(tmp_path / "small.hdf5", 1)[0] - a_row
    rows = -(-(6 * 2**20 - before) // a_row)
    stop, place = write(tmp_path / "large.hdf5", rows)
    assert rows > 2**17
    assert 6 * 2**20 <= stop < 6 * 2**20 + 2**13
    assert place == 7 * 2**20
    reader = open_rows(read_header(tmp_path / "large.hdf5"))
    for index in (0, 1, 2, rows - 2, rows - 1):
        np.testing.assert_array_equal(reader.row(index), images[index % 3])
    reader.close()
