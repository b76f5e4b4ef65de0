import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.shards.names import shard_path, shard_ranges
from pyimagesearch.io.shards.uniting import publish_set
from tests.io.provenance import with_provenance
from tests.io.shards.sharded import ROWS


@pytest.fixture
def images(numbered_images):
    return numbered_images(ROWS, 16, 12)


@pytest.fixture
def write_set(tmp_path, images):
    """Return a function that writes the images as shards, and returns the path of the whole."""

    def write(count, name="train.hdf5", rows=images, publish=True, overwrite=False, **options):
        path = tmp_path / name
        for index, (start, stop) in enumerate(shard_ranges(len(rows), count)):
            settings = {"build": "b", "shard": (index, count), "dtype": rows.dtype, "overwrite": overwrite, **options}
            writer = HDF5DatasetWriter(
                (stop - start, *rows.shape[1:]), shard_path(path, index, count),
                "features" if rows.ndim == 2 else "images", **with_provenance(settings),
            )  # fmt: skip
            writer.store_class_labels(["cat", "dog"])
            writer.add(rows[start:stop], np.arange(start, stop) % 2, [f"{'ö' * i}.jpg" for i in range(start, stop)])
            writer.seal()
            writer.suspend()
        if publish:
            publish_set(path, count, overwrite)
        return path

    return write
