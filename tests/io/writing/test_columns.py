import h5py
import numpy as np

from pyimagesearch.io.encodings.row import EncodedRow, row_checksum
from pyimagesearch.io.writing.columns import Columns

ROWS = [EncodedRow(b"", 11, (1.0, 2.0, 3.0)), EncodedRow(b"", 12, (4.0, 5.0, 2.0**40))]


def test_columns_are_loaded_as_far_as_they_were_flushed(tmp_path):
    columns = Columns(5, 3)
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        columns.allocate(file)
    columns.put(1, ROWS, np.array([1, 0]), [b"a", b"b"])
    with open(tmp_path / "a.hdf5", "r+b") as file:
        columns.flush(file, 0, 2)
        again = Columns(5, 3)
        with h5py.File(tmp_path / "b.hdf5", "w") as other:
            again.allocate(other)
        again.load(file)
    assert again.labels.tolist() == [0, 1, 0, 0, 0]
    assert again.checksums.tolist() == [0, row_checksum(11, 1, b"a", np.array([1, 2, 3], "<u8")), 0, 0, 0]
    assert columns.channel_sums(3).tolist() == [5, 7, 2**40 + 3]


def test_rows_that_are_no_images_have_no_sums():
    columns = Columns(2, 0)
    columns.put(0, ROWS, np.array([1, 0]), [b"", b""])
    assert set(columns.shapes) == {"labels", "checksums"}
    assert columns.checksums.tolist() == [row_checksum(11, 1, b""), row_checksum(12, 0, b"")]
