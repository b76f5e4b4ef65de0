"""Data sets of hardly any rows."""

import os

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.inspection import damaged_rows


class TestFewRows:
    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    @pytest.mark.parametrize("n", [1, 2, 3])
    @pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (1, 8), (2, 8), (64, 1), (64, 8)])
    def test_fewer_rows_than_threads_or_a_batch_has(self, tmp_path, n, batch_size, threads, encoding):
        rows = np.full((n, 16, 24, 3), 100, np.uint8)
        rows += (40 * np.arange(n, dtype=np.uint8))[:, None, None, None]
        labels = (np.arange(n) + 1) % 2
        with HDF5DatasetWriter(rows.shape, tmp_path / "few.hdf5", encoding=encoding) as writer:
            writer.add(rows, labels, [f"{i}.jpg" for i in range(n)])
            writer.store_class_labels(["cat", "dog"])
        assert len(damaged_rows(tmp_path / "few.hdf5")) == 0
        for shuffle in (False, True):
            loader = BatchLoader(tmp_path / "few.hdf5", batch_size, threads=threads, shuffle=shuffle)
            assert len(loader) == -(-n // batch_size)
            for epoch in range(3):
                images = np.concatenate([loader.batch(epoch, index) for index in range(len(loader))])
                order = np.concatenate([loader.rows(epoch, index) for index in range(len(loader))])
                assert sorted(order) == list(range(n))
                np.testing.assert_allclose(images, rows[order], atol=1)
            loader.close()
        generator = HDF5DatasetGenerator(tmp_path / "few.hdf5", batch_size, threads=threads)
        batches = list(generator.generator(passes=1))
        generator.close()
        assert [len(images) for images, _ in batches] == [min(batch_size, n - i) for i in range(0, n, batch_size)]
        np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), np.eye(2)[labels])

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_one_image_of_one_class(self, tmp_path, encoding):
        image = np.full((1, 16, 24, 3), 77, np.uint8)
        with HDF5DatasetWriter(image.shape, tmp_path / "one.hdf5", encoding=encoding) as writer:
            writer.add(image, [0], ["cat.0.jpg"])
            writer.store_class_labels(["cat"])
        header = read_header(tmp_path / "one.hdf5")
        assert (header.shape, header.label_names) == ((1, 16, 24, 3), ["cat"])
        generator = HDF5DatasetGenerator(tmp_path / "one.hdf5", 32, classes=1, shuffle=True, threads=8)
        (images, labels), *others = generator.generator(passes=1)
        generator.close()
        np.testing.assert_allclose(images, image, atol=1)
        assert (labels.tolist(), others) == ([[1]], [])

    def test_one_row_of_features(self, tmp_path):
        with HDF5DatasetWriter((1, 5), tmp_path / "one.hdf5", "features") as writer:
            writer.add(np.arange(5, dtype=np.float32)[None], [0])
        loader = BatchLoader(tmp_path / "one.hdf5", 3, threads=4, shuffle=True)
        np.testing.assert_array_equal(loader.batch(0, 0), [[0, 1, 2, 3, 4]])
        loader.close()

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_no_rows_are_refused(self, tmp_path, encoding):
        with pytest.raises(UserError, match=r"dims: must be \(rows, \.\.\.\) with every size at least 1"):
            HDF5DatasetWriter((0, 8, 8, 3), tmp_path / "none.hdf5", encoding=encoding)
        assert os.listdir(tmp_path) == []
