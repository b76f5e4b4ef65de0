import errno
import os
import subprocess
import sys
import textwrap
import time
import zlib

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.fileformat import read_header

N = 7
PATHS = [f"train/cat.{i}.jpg" for i in range(N - 1)] + ["train/dög.6.jpg"]
LABELS = np.array([0, 1, 1, 0, 1, 0, 1])


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (N, 5, 4, 3), np.uint8)


@pytest.fixture
def photos(rng):
    """Images that JPEG keeps well."""
    return np.stack([cv2.resize(small, (40, 32)) for small in rng.integers(0, 256, (N, 4, 5, 3), np.uint8)])


def write(path, rows, paths=PATHS, **options):
    with HDF5DatasetWriter(rows.shape, path, **options) as writer:
        writer.add(rows, LABELS, paths)
        writer.store_class_labels(["cat", "dög"])
    return path


def files(folder):
    return sorted(os.listdir(folder))


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
        assert attributes["complete"]
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


class TestAllOrNothing:
    def test_the_file_has_its_name_only_when_it_is_whole(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.flush()
        assert files(tmp_path) == ["a.hdf5.partial"]
        writer.close()
        assert files(tmp_path) == ["a.hdf5"]

    def test_an_exception_leaves_nothing(self, tmp_path, images):
        def interrupted():
            with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5") as writer:
                writer.add(images, LABELS)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            interrupted()
        assert files(tmp_path) == []

    def test_an_exception_keeps_the_old_file(self, tmp_path, images):
        old = write(tmp_path / "a.hdf5", images).read_bytes()

        def interrupted():
            with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True) as writer:
                writer.add(images[::-1], LABELS)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            interrupted()
        assert files(tmp_path) == ["a.hdf5"]
        assert (tmp_path / "a.hdf5").read_bytes() == old

    def test_overwriting_happens_at_the_end(self, tmp_path, images):
        old = write(tmp_path / "a.hdf5", images).read_bytes()
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True)
        writer.add(images[::-1], LABELS)
        writer.flush()
        assert (tmp_path / "a.hdf5").read_bytes() == old
        writer.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images[::-1])

    def test_sealing_finishes_the_file_under_its_unfinished_name(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.seal()
        writer.seal()
        with h5py.File(tmp_path / "a.hdf5.partial", locking=False) as file:
            assert file.attrs["complete"]
        writer.close()
        np.testing.assert_array_equal(read_header(tmp_path / "a.hdf5").labels, LABELS)

    def test_a_second_close_is_harmless(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.close()
        before = (tmp_path / "a.hdf5").read_bytes()
        writer.close()
        writer.discard()
        assert (tmp_path / "a.hdf5").read_bytes() == before
        assert files(tmp_path) == ["a.hdf5"]

    def test_discard_removes_the_unfinished_file(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.discard()
        writer.close()
        assert files(tmp_path) == []

    def test_what_a_killed_writer_left_is_written_over(self, tmp_path, images):
        (tmp_path / "a.hdf5.partial").write_bytes(b"rubbish" * 100_000)
        fresh = write(tmp_path / "b.hdf5", images).read_bytes()
        assert write(tmp_path / "a.hdf5", images).read_bytes() == fresh
        assert files(tmp_path) == ["a.hdf5", "b.hdf5"]

    def test_two_writers_of_one_file_are_one_too_many(self, tmp_path, images):
        first = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        with pytest.raises(UserError, match=r"output_path: another process is writing .*a\.hdf5 right now"):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        first.add(images, LABELS)
        first.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)

    def test_a_disk_without_room_is_named_before_the_first_row(self, tmp_path, images, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", full)
        rule = (
            r"dims: 7 rows need 0.0 MB on disk, .*a\.hdf5\.partial cannot have \(No space left on device\); make room"
        )
        with pytest.raises(UserError, match=rule):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        assert files(tmp_path) == []

    def test_a_file_system_that_promises_no_room_is_written_to_all_the_same(self, tmp_path, images, monkeypatch):
        def unable(*_):
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")

        expected = write(tmp_path / "a.hdf5", images).read_bytes()
        monkeypatch.setattr(os, "posix_fallocate", unable)
        assert write(tmp_path / "b.hdf5", images).read_bytes() == expected


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
class TestResuming:
    OPTIONS = {"buf_size": 2, "history": "cut", "build": "b1"}

    def finish(self, path, images, encoding, **changes):
        """Go on with an unfinished file; return how many rows were taken over."""
        options = {**self.OPTIONS, "encoding": encoding, **changes}
        with HDF5DatasetWriter(images.shape, path, resume=True, **options) as writer:
            writer.store_class_labels(["cat", "dög"])
            done = writer.recover(LABELS, PATHS)
            writer.add(images[done:], LABELS[done:], PATHS[done:])
        return done

    def begin(self, path, images, encoding, count):
        writer = HDF5DatasetWriter(images.shape, path, encoding=encoding, **self.OPTIONS)
        writer.add(images[:count], LABELS[:count], PATHS[:count])
        writer.suspend()

    @pytest.mark.parametrize("count", [0, 1, 4, 5, N])
    def test_a_suspended_file_becomes_the_one_that_was_never_stopped(self, tmp_path, photos, encoding, count):
        expected = write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
        self.begin(tmp_path / "a.hdf5", photos, encoding, count)
        assert files(tmp_path) == ["a.hdf5.partial", "b.hdf5"]
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) == count
        assert (tmp_path / "a.hdf5").read_bytes() == expected

    def test_a_killed_writer_s_rows_are_taken_over(self, tmp_path, photos, encoding):
        np.savez(tmp_path / "rows.npz", images=photos, labels=LABELS, paths=PATHS)
        program = f"""
            import os, numpy as np
            from pyimagesearch.io import HDF5DatasetWriter
            data = np.load("rows.npz")
            writer = HDF5DatasetWriter(data["images"].shape, "a.hdf5", encoding={encoding!r}, **{self.OPTIONS!r})
            for i in range(5):
                writer.add(data["images"][i:i + 1], data["labels"][i:i + 1], data["paths"][i:i + 1].tolist())
            os._exit(9)
        """
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
        killed = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, env=environment, check=False
        )
        assert killed.returncode == 9
        expected = write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) >= 4
        assert (tmp_path / "a.hdf5").read_bytes() == expected

    @pytest.mark.parametrize("change", [{"history": "other"}, {"build": "b2"}])
    def test_a_file_of_another_plan_is_begun_anew(self, tmp_path, photos, encoding, change):
        self.begin(tmp_path / "a.hdf5", photos, encoding, 4)
        assert self.finish(tmp_path / "a.hdf5", photos, encoding, **change) == 0
        assert read_header(tmp_path / "a.hdf5").build == change.get("build", "b1")

    def test_damaged_rows_are_written_again(self, tmp_path, photos, encoding):
        expected = write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
        self.begin(tmp_path / "a.hdf5", photos, encoding, 6)
        partial = tmp_path / "a.hdf5.partial"
        content = partial.read_bytes()
        row = photos[3]
        if encoding == "jpeg":
            row = cv2.imencode(".jpg", row, (cv2.IMWRITE_JPEG_QUALITY, 90))[1]
        place = content.index(row.tobytes()[-120:])
        partial.write_bytes(content[:place] + bytes(100) + content[place + 100 :])
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) == 3
        assert (tmp_path / "a.hdf5").read_bytes() == expected

    def test_with_nothing_to_resume_the_file_is_begun(self, tmp_path, photos, encoding):
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) == 0
        assert read_header(tmp_path / "a.hdf5").shape == photos.shape


class TestMistakes:
    @pytest.fixture
    def writer(self, tmp_path):
        writer = HDF5DatasetWriter((N, 5, 4, 3), tmp_path / "a.hdf5")
        yield writer
        writer.discard()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"dims": (0, 5, 4, 3)}, r"dims: must be \(rows, \.\.\.\) with every size at least 1; received"),
            ({"dims": (7,)}, r"dims: must be .*received \(7,\)"),
            ({"dims": (7, -1)}, r"dims: must be .*received \(7, -1\)"),
            ({"data_key": "pixels"}, "data_key: must be one of images, features, feature; received 'pixels'"),
            ({"buf_size": 0}, "buf_size: must be at least 1; received 0"),
            ({"color_order": "BRG"}, 'color_order: must be "BGR" or "RGB"; received \'BRG\''),
            ({"encoding": "png"}, 'encoding: must be "raw" or "jpeg"; received \'png\''),
            ({"encoding": "jpeg", "quality": 0}, 'encoding: "jpeg" needs dims .* quality of 1 to 100; .* quality 0'),
            ({"encoding": "jpeg", "quality": 101}, 'encoding: "jpeg" needs dims .* quality of 1 to 100'),
            ({"encoding": "jpeg", "dims": (7, 9)}, 'encoding: "jpeg" needs dims .*; received'),
            ({"encoding": "jpeg", "dtype": "float32"}, 'encoding: "jpeg" needs dims .*float32'),
            (
                {"encoding": "jpeg", "dims": (7, 5, 4, 4)},
                'encoding: "jpeg" holds images of 1 or 3 channels; received 4',
            ),
        ],
    )
    def test_a_wrong_argument_is_named_and_leaves_no_file(self, tmp_path, arguments, message):
        with pytest.raises(UserError, match=message):
            HDF5DatasetWriter(**{"dims": (7, 5, 4, 3), "output_path": tmp_path / "a.hdf5", **arguments})
        assert files(tmp_path) == []

    def test_an_existing_file_is_kept(self, tmp_path, images):
        write(tmp_path / "a.hdf5", images)
        with pytest.raises(UserError, match=r"output_path: .*a\.hdf5 exists; .*overwrite=True"):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")

    @pytest.mark.parametrize("shape", [(5, 4, 3), (2, 4, 5, 3), (2, 5, 4), (2, 5, 4, 1)])
    def test_rows_must_have_the_promised_shape(self, writer, shape):
        with pytest.raises(UserError, match=r"rows: must have shape \(m, 5, 4, 3\); received"):
            writer.add(np.zeros(shape, np.uint8), [0, 0])

    @pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
    def test_rows_must_have_the_file_s_dtype(self, writer, images, dtype):
        with pytest.raises(UserError, match=f"rows: must be uint8 as the file is; received {dtype}; convert"):
            writer.add(images.astype(dtype), LABELS)

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, "x", 1j])
    def test_features_must_be_finite_numbers(self, tmp_path, wrong):
        rows = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).astype(np.result_type(type(wrong), float))
        rows[1, 1] = wrong
        not_finite = pytest.raises(UserError, match="rows: must be finite numbers; received")
        with not_finite, HDF5DatasetWriter((2, 3), tmp_path / "f.hdf5", "features") as writer:
            writer.add(rows, [0, 1])

    def test_features_must_be_finite_as_they_are_stored(self, tmp_path):
        too_large = pytest.raises(UserError, match="rows: must be finite numbers; received")
        with too_large, HDF5DatasetWriter((1, 2), tmp_path / "f.hdf5", "features") as writer:
            writer.add([[1.0, 1e300]], [0])

    @pytest.mark.parametrize(
        "labels", [[0, 1], 0, [0.0] * N, ["cat"] * N, np.zeros((N, 1), int), np.eye(N), [True] * N]
    )
    def test_labels_must_be_one_whole_number_a_row(self, writer, images, labels):
        with pytest.raises(UserError, match=f"labels: must be {N} whole numbers, one for each row; received"):
            writer.add(images, labels)

    def test_labels_must_not_be_negative(self, writer, images):
        with pytest.raises(UserError, match="labels: must be at least 0; received -1"):
            writer.add(images, LABELS - 1)

    def test_paths_must_be_one_a_row(self, writer, images):
        with pytest.raises(UserError, match=f"paths: must be one for each of {N} rows; received 2"):
            writer.add(images, LABELS, PATHS[:2])

    @pytest.mark.parametrize(("first", "second"), [(PATHS[:3], None), (None, PATHS[3:])])
    def test_paths_must_come_with_all_rows_or_with_none(self, writer, images, first, second):
        writer.add(images[:3], LABELS[:3], first)
        with pytest.raises(UserError, match="paths: must be given for all rows of a file or for none"):
            writer.add(images[3:], LABELS[3:], second)

    def test_a_refused_batch_leaves_no_trace(self, tmp_path, writer, images):
        writer.add(images[:3], LABELS[:3], PATHS[:3])
        with pytest.raises(UserError, match="labels: must be at least 0"):
            writer.add(images[3:], LABELS[3:] - 5, PATHS[3:])
        writer.add(images[3:], LABELS[3:], PATHS[3:])
        writer.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)
            assert file["paths"].asstr()[:].tolist() == PATHS

    def test_more_rows_than_promised_are_refused(self, writer, images):
        writer.add(images[:5], LABELS[:5])
        with pytest.raises(UserError, match=r"a\.hdf5 was promised 7 rows; received 12; set dims\[0\]"):
            writer.add(images, LABELS)
        assert writer.rows_added == 5

    def test_fewer_rows_than_promised_leave_nothing(self, tmp_path, writer, images):
        writer.add(images[:5], LABELS[:5])
        with pytest.raises(UserError, match=r"a\.hdf5 was promised 7 rows and received 5; .* was removed"):
            writer.close()
        assert files(tmp_path) == []

    def test_every_label_needs_a_name(self, tmp_path, writer, images):
        writer.add(images, LABELS)
        writer.store_class_labels(["cat"])
        with pytest.raises(UserError, match="labels: must be below 1, the number of class names; received 1"):
            writer.close()
        assert files(tmp_path) == []

    @pytest.mark.parametrize("end", ["close", "seal", "discard", "suspend"])
    @pytest.mark.parametrize(
        "use",
        [
            lambda writer, images: writer.add(images, LABELS),
            lambda writer, images: writer.flush(),
            lambda writer, images: writer.store_class_labels(["cat", "dog"]),
        ],
        ids=["add", "flush", "store_class_labels"],
    )
    def test_a_closed_writer_takes_nothing_more(self, writer, images, end, use):
        writer.add(images, LABELS)
        getattr(writer, end)()
        with pytest.raises(UserError, match=r"a\.hdf5: the writer is closed; make a new one"):
            use(writer, images)
