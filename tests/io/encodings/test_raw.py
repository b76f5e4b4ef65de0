"""Rows stored as they are."""

import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.encodings.raw import RawReader, row_offsets
from pyimagesearch.io.format.dataset import read_header


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_features_keep_their_dtype(tmp_path, dtype):
    features = np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)
    path = tmp_path / "features.hdf5"
    with HDF5DatasetWriter((5, 3), path, "features", dtype=dtype) as writer:
        writer.add(features, [0, 1, 0, 1, 0])
    with h5py.File(path) as file:
        assert file["features"].dtype == dtype
        assert (file["features"][:] == features).all()


def test_rows_of_chunks_are_mapped_where_they_lie(tmp_path, rng):
    rows = rng.integers(0, 256, (11, 4, 5, 1), np.uint8)
    with h5py.File(tmp_path / "chunks.hdf5", "w") as file:
        dataset = file.create_dataset("images", data=rows, chunks=(3, 4, 5, 1))
        file["labels"] = np.zeros(11, int)
        file.create_dataset("packed", data=rows, chunks=(3, 4, 5, 1), compression="gzip")
        file.create_dataset("spread", data=rows, chunks=(3, 4, 2, 1))
        assert row_offsets(file["packed"]) is None
        assert row_offsets(file["spread"]) is None
        offsets = row_offsets(dataset)
    reader = RawReader(read_header(tmp_path / "chunks.hdf5"), offsets)
    np.testing.assert_array_equal(reader.read([10, 0, 4]), rows[[10, 0, 4]])
    np.testing.assert_array_equal(reader.row(7), rows[7])
    reader.close()
