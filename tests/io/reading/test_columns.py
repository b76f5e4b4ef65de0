import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.conversion import convert
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.reading.columns import read_channel_means, read_column, read_row_paths

PATHS = [f"{i}.jpg" for i in range(6)]


@pytest.fixture
def images(numbered_images):
    return numbered_images(6)


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_channel_means_are_those_of_the_pixels(write_dataset, images, encoding):
    means = read_channel_means(write_dataset(images, encoding=encoding))
    np.testing.assert_allclose(means, images.mean(axis=(0, 1, 2)), rtol=1e-12)


def test_columns_of_shards_are_joined(write_dataset, images, tmp_path):
    whole = write_dataset(images, paths=PATHS)
    convert(whole, tmp_path / "split.hdf5", shards=3)
    one, several = read_header(whole), read_header(tmp_path / "split.hdf5")
    assert read_row_paths(several) == read_row_paths(one) == PATHS
    for name in ("checksums", "channel_sums"):
        np.testing.assert_array_equal(read_column(several, name), read_column(one, name))


def test_what_other_programs_do_not_store_is_missing(tmp_path):
    with h5py.File(tmp_path / "foreign.hdf5", "w") as file:
        file["images"], file["labels"] = np.ones((2, 4, 5, 3), np.uint8), [0, 1]
    header = read_header(tmp_path / "foreign.hdf5")
    assert read_row_paths(header) == []
    assert read_column(header, "checksums") is None
    with pytest.raises(UserError, match="has no channel_sums; build it again"):
        read_channel_means(tmp_path / "foreign.hdf5")
