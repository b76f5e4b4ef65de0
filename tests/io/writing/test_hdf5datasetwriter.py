import time
import zlib

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from tests.io.writing.written import LABELS, PATHS, N, write


class TestTheFile:
    def test_plain_h5py_reads_all_of_it(self, tmp_path, images):
        path = write(tmp_path / "train.hdf5", images, color_order="RGB", history="cut", build="b1")
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["images"][:], images)
            np.testing.assert_array_equal(file["images"][2:4], images[2:4])
            np.testing.assert_array_equal(file["labels"][:], LABELS)
            assert file["label_names"].asstr()[:].tolist() == ["cat", "dög"]
            assert file["paths"].asstr()[:].tolist() == PATHS
            assert file["images"].dtype == np.uint8
            assert file["labels"].dtype == np.int64
            attributes = dict(file.attrs)
        assert attributes["format"] == "pyimagesearch"
        assert attributes["format_version"] == 1
        assert attributes["complete"] == 1
        assert attributes["complete"].dtype.kind == "i"  # PyTables warns of booleans
        assert (attributes["color_order"], attributes["history"], attributes["build"]) == ("RGB", "cut", "b1")
        assert "opencv" in attributes["libraries"]

    @pytest.mark.parametrize("number", [1, N])
    def test_images_are_contiguous_and_can_be_memory_mapped(self, tmp_path, images, number):
        path = tmp_path / "train.hdf5"
        with HDF5DatasetWriter((number, 5, 4, 3), path) as writer:
            writer.add(images[:number], LABELS[:number])
        with h5py.File(path) as file:
            assert file["images"].chunks is None
            offset = file["images"].id.get_offset()
        np.testing.assert_array_equal(np.memmap(path, np.uint8, "r", offset, (number, 5, 4, 3)), images[:number])

    def test_checksums_cover_the_row_its_label_its_path_and_its_sums(self, tmp_path, images):
        with h5py.File(write(tmp_path / "train.hdf5", images)) as file:
            checksums = file["checksums"][:]
        expected = [
            zlib.crc32(
                image.tobytes()
                + int(label).to_bytes(8, "little")
                + path.encode()
                + b"".join(int(image[..., channel].sum()).to_bytes(8, "little") for channel in range(3))
            )
            for image, label, path in zip(images, LABELS, PATHS, strict=True)
        ]
        np.testing.assert_array_equal(checksums, expected)

    def test_channel_sums_and_means_are_exact(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "train.hdf5")
        writer.add(images, LABELS)
        np.testing.assert_allclose(writer.channel_means(), images.mean(axis=(0, 1, 2)), rtol=1e-12)
        writer.close()
        with h5py.File(tmp_path / "train.hdf5") as file:
            np.testing.assert_array_equal(file["channel_sums"][:], images.sum(axis=(1, 2), dtype=np.uint64))

    def test_without_paths_and_names_there_are_none(self, tmp_path, images):
        with HDF5DatasetWriter(images.shape, tmp_path / "train.hdf5") as writer:
            writer.add(images, LABELS)
        with h5py.File(tmp_path / "train.hdf5") as file:
            assert "paths" not in file
            assert "label_names" not in file
            np.testing.assert_array_equal(file["images"][:], images)

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_equal_rows_make_equal_files(self, tmp_path, images, encoding):
        first = write(tmp_path / "a.hdf5", images, encoding=encoding)
        time.sleep(1.1)  # a time that is written down would differ now
        second = tmp_path / "b.hdf5"
        with HDF5DatasetWriter(images.shape, second, encoding=encoding, buf_size=2) as writer:
            writer.store_class_labels(["cat", "dög"])
            for i in range(N):
                writer.add(images[i : i + 1], LABELS[i : i + 1], PATHS[i : i + 1])
        assert first.read_bytes() == second.read_bytes()

    @pytest.mark.parametrize("key", ["features", "feature"])
    def test_features_are_float32(self, tmp_path, rng, key):
        features = rng.normal(size=(N, 6))
        with h5py.File(write(tmp_path / "features.hdf5", features, data_key=key)) as file:
            assert file[key].dtype == np.float32
            np.testing.assert_array_equal(file[key][:], features.astype(np.float32))

    @pytest.mark.parametrize("dtype", ["float64", "int16", "float32"])
    def test_dtype_is_as_asked(self, tmp_path, images, dtype):
        rows = images.astype(dtype)
        with h5py.File(write(tmp_path / "a.hdf5", rows, dtype=dtype)) as file:
            assert file["images"].dtype == dtype
            np.testing.assert_array_equal(file["images"][:], rows)

    def test_the_folder_is_made(self, tmp_path, images):
        assert write(tmp_path / "new" / "folder" / "a.hdf5", images).is_file()


class TestAdding:
    @pytest.mark.parametrize("sizes", [[1] * N, [3, 4], [2, 0, 5], [N]])
    @pytest.mark.parametrize("buf_size", [1, 2, 3, N, 1000])
    def test_batches_and_buffers_of_any_size_give_the_same_rows(self, tmp_path, images, sizes, buf_size):
        with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", "images", buf_size) as writer:
            start = 0
            for size in sizes:
                assert writer.rows_added == start
                writer.add(images[start : start + size], LABELS[start : start + size])
                start += size
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)
            np.testing.assert_array_equal(file["labels"][:], LABELS)

    def test_the_caller_may_reuse_its_arrays(self, tmp_path, images):
        with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5") as writer:
            row, label = np.empty((1, 5, 4, 3), np.uint8), np.empty(1, np.int64)
            for i in range(N):
                row[0], label[0] = images[i], LABELS[i]
                writer.add(row, label)
            row[:], label[:] = 0, 99
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)
            np.testing.assert_array_equal(file["labels"][:], LABELS)

    def test_views_of_any_layout_are_taken(self, tmp_path, images):
        backwards = images[:, ::-1, ::-1]
        with h5py.File(write(tmp_path / "a.hdf5", backwards)) as file:
            np.testing.assert_array_equal(file["images"][:], backwards)

    def test_lists_are_taken(self, tmp_path, images):
        with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5") as writer:
            writer.add(list(images), LABELS.tolist(), PATHS)
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)

    def test_flush_may_come_at_any_time(self, tmp_path, images):
        with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5") as writer:
            writer.flush()
            writer.add(images[:3], LABELS[:3])
            writer.flush()
            writer.flush()
            writer.add(images[3:], LABELS[3:])
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)

    def test_the_book_s_spelling_is_accepted(self, tmp_path, rng):
        features = rng.normal(size=(N, 6)).astype(np.float32)
        for name in ("bufSize", "buffSize"):
            path = tmp_path / f"{name}.hdf5"
            writer = HDF5DatasetWriter(dims=(N, 6), outputPath=path, dataKey="features", **{name: 3})
            writer.add(features, LABELS.tolist())
            writer.storeClassLabels(["cat", "dog"])
            writer.close()
            with h5py.File(path) as file:
                np.testing.assert_array_equal(file["features"][:], features)
                assert file["label_names"].asstr()[:].tolist() == ["cat", "dog"]


class TestJpeg:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_images_lie_one_behind_the_other(self, tmp_path, photos, channels):
        photos = np.ascontiguousarray(photos[..., :channels])
        path = write(tmp_path / "a.hdf5", photos, encoding="jpeg", quality=70)
        with h5py.File(path) as file:
            blob, ends = file["jpeg"][:], file["jpeg_ends"][:].tolist()
            assert tuple(file.attrs["image_shape"]) == photos.shape[1:]
            assert file["jpeg"].chunks is None
        for image, begin, end in zip(photos, [0, *ends], ends, strict=False):
            expected = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 70))[1]
            np.testing.assert_array_equal(blob[begin:end], expected.ravel())
        assert ends[-1] == len(blob)

    def test_channel_sums_are_those_before_compression(self, tmp_path, photos):
        with h5py.File(write(tmp_path / "a.hdf5", photos, encoding="jpeg")) as file:
            np.testing.assert_array_equal(file["channel_sums"][:], photos.sum(axis=(1, 2), dtype=np.uint64))

    def test_a_file_of_the_right_size_is_stored_as_it_is(self, tmp_path, photos):
        original = cv2.imencode(".jpg", photos[0], (cv2.IMWRITE_JPEG_QUALITY, 33))[1].tobytes()
        with HDF5DatasetWriter((1, *photos.shape[1:]), tmp_path / "a.hdf5", encoding="jpeg") as writer:
            writer.add_encoded([writer.encode(photos[0], original)], [1])
        with h5py.File(tmp_path / "a.hdf5") as file:
            assert file["jpeg"][:].tobytes() == original

    def test_more_than_a_mebibyte_of_images_is_stored_as_well(self, tmp_path, rng):
        noise = rng.integers(0, 256, (12, 300, 300, 3), np.uint8)
        with HDF5DatasetWriter(noise.shape, tmp_path / "a.hdf5", encoding="jpeg", quality=95) as writer:
            writer.add(noise, np.zeros(12, int))
        with h5py.File(tmp_path / "a.hdf5") as file:
            blob, ends = file["jpeg"][:], file["jpeg_ends"][:].tolist()
        assert len(blob) > 2**20
        for image, begin, end in zip(noise, [0, *ends], ends, strict=False):
            expected = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 95))[1]
            np.testing.assert_array_equal(blob[begin:end], expected.ravel())
