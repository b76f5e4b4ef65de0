import shutil

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header


@pytest.fixture
def images(numbered_images):
    return numbered_images(6)


@pytest.fixture
def foreign(tmp_path):
    """Return a function that makes a file with plain h5py."""

    def make(**datasets):
        path = tmp_path / "foreign.hdf5"
        with h5py.File(path, "w") as file:
            for name, content in datasets.items():
                file[name] = content
        return path

    return make


class TestOurFiles:
    def test_the_header_says_what_the_writer_was_told(self, write_dataset, images):
        header = read_header(write_dataset(images, color_order="RGB", build="b1"))
        assert (header.key, header.encoding) == ("images", "raw")
        assert (header.shape, header.dtype) == (images.shape, np.uint8)
        assert header.labels.tolist() == [0, 1, 0, 1, 0, 1]
        assert header.label_names == ["cat", "dog"]
        assert (header.color_order, header.build, header.plan) == ("RGB", "b1", None)

    def test_the_header_of_jpeg_images_is_that_of_decoded_ones(self, write_dataset, images):
        header = read_header(write_dataset(images, encoding="jpeg"))
        assert header.encoding == "jpeg"
        assert (header.shape, header.dtype) == (images.shape, np.uint8)

    def test_it_is_one_line(self, write_dataset, images, rng):
        header = read_header(path := write_dataset(images))
        assert repr(header) == (
            f"<Header {path}: {len(images)} rows of shape {images.shape[1:]}, uint8, BGR, raw; 2 classes: cat, dog>"
        )
        assert "of shape (5,), float32, raw; no names" in repr(
            read_header(write_dataset(rng.random((3, 5), np.float32), class_labels=(), name="features.hdf5"))
        )

    def test_the_header_of_features(self, write_dataset, rng):
        header = read_header(write_dataset(rng.normal(size=(4, 3)).astype(np.float32), class_labels=()))
        assert (header.key, header.shape, header.dtype) == ("features", (4, 3), np.float32)
        assert header.label_names == []

    def test_an_unfinished_file_is_refused(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images[:3], [0, 1, 0])
        writer.flush()
        shutil.copy(tmp_path / "a.hdf5.partial", tmp_path / "killed.hdf5")
        writer.discard()
        with pytest.raises(UserError, match=r"killed\.hdf5 is incomplete: its writer was stopped; build it again"):
            read_header(tmp_path / "killed.hdf5")

    @pytest.mark.parametrize("version", [2, 99])
    def test_a_newer_format_is_refused(self, write_dataset, images, version):
        path = write_dataset(images)
        with h5py.File(path, "r+") as file:
            file.attrs["format_version"] = version
        with pytest.raises(
            UserError, match=f"has format version {version}; .* reads versions up to 1; install a newer"
        ):
            read_header(path)

    @pytest.mark.parametrize("keep", [0.2, 0.5, 0.999])
    def test_a_file_that_was_cut_off_is_refused(self, write_dataset, images, keep):
        path = write_dataset(images)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])
        with pytest.raises(UserError, match=r"data\.hdf5 must be an HDF5 file; it is not, or it is damaged"):
            read_header(path)


class TestFilesOfOtherMakers:
    @pytest.mark.parametrize("key", ["images", "features", "feature"])
    def test_rows_are_found_under_their_names(self, foreign, key):
        header = read_header(foreign(**{key: np.ones((2, 3)), "labels": [0, 1]}))
        assert (header.key, header.shape, header.dtype) == (key, (2, 3), np.float64)
        assert header.plan

    def test_what_is_not_said_is_as_in_the_book(self, foreign):
        header = read_header(foreign(images=np.full((2, 4, 5, 3), 7.0), labels=[0, 1]))
        assert (header.color_order, header.label_names, header.build) == ("BGR", [], "")

    @pytest.mark.parametrize("dtype", ["uint8", "int32", "float64", ">i4"])
    def test_labels_may_be_whole_numbers_of_any_kind(self, foreign, dtype):
        header = read_header(foreign(features=np.ones((3, 2)), labels=np.array([2, 0, 1], dtype)))
        assert header.labels.dtype == np.int64
        assert header.labels.tolist() == [2, 0, 1]

    @pytest.mark.parametrize("kind", ["variable length", "bytes"])
    def test_label_names_are_read(self, foreign, kind):
        names = (
            np.array(["cat", "dög"], h5py.string_dtype()) if kind == "variable length" else np.bytes_(["cat", "dog"])
        )
        header = read_header(foreign(features=np.ones((2, 2)), labels=[0, 1], label_names=names))
        assert header.label_names == (["cat", "dög"] if kind == "variable length" else ["cat", "dog"])

    @pytest.mark.parametrize(
        ("datasets", "message"),
        [
            ({}, "must hold labelled images; it is an HDF5 file without datasets"),
            (
                {"images": np.ones((2, 3))},
                r"are the images and the labels must be .*; it holds images \(2, 3\) float64",
            ),
            ({"labels": [0]}, r"are the images and the labels must be .*; it holds labels \(1,\) int64"),
            ({"images": np.ones((2, 3)), "labels": [0]}, r"must be one for each image; labels \(1,\) int64"),
            ({"images": np.ones((0, 3)), "labels": np.ones(0, int)}, "must hold rows"),
            ({"images": np.ones(2), "labels": [0, 1]}, r"it holds images \(2,\) float64; labels \(2,\) int64"),
            ({"images": np.ones((2, 3)), "labels": [0, -1]}, "must be class numbers, .*; received dtype int64"),
            ({"images": np.ones((2, 3)), "labels": [0.5, 1]}, "must be class numbers, .*; received dtype float64"),
        ],
    )
    def test_what_is_no_data_set_is_refused(self, foreign, datasets, message):
        with pytest.raises(UserError, match=message):
            read_header(foreign(**datasets))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"data set: .*none\.hdf5 does not exist or is no file; check the path"):
        read_header(tmp_path / "none.hdf5")


def test_a_folder_is_no_data_set(tmp_path):
    with pytest.raises(UserError, match="does not exist or is no file"):
        read_header(tmp_path)


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "empty"), (b"cats and dogs", "text"), (b"\x89HDF\r\n\x1a\n", "not, or it is damaged")]
)
def test_another_kind_of_file_is_refused(tmp_path, content, what):
    (tmp_path / "a.hdf5").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.hdf5 must be an HDF5 file; it is {what}"):
        read_header(tmp_path / "a.hdf5")
