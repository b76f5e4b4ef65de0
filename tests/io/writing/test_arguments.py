import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from tests.io.writing.written import LABELS, PATHS, N, files, write


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

    @pytest.mark.parametrize("shard", [(3, 3), (-1, 3), (0, 0)])
    def test_a_number_that_no_shard_has_is_refused(self, tmp_path, shard):
        with pytest.raises(
            UserError, match=r"shard: must be \(index, count\) with index from 0 to count - 1; received"
        ):
            HDF5DatasetWriter((4, 8, 8, 3), tmp_path / "a.hdf5", shard=shard)
