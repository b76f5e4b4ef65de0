"""What the tests share: seeded numbers, small data sets, and folders of real broken files."""

from pathlib import Path

import numpy as np
import pytest

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared/data"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def write_dataset(tmp_path):
    """Return a function that writes rows and labels with the package's writer, and returns the path."""
    from pyimagesearch.io import HDF5DatasetWriter
    from tests.io.provenance import with_provenance

    def write(rows, labels=None, name="data.hdf5", class_labels=("cat", "dog"), paths=None, **options):
        labels = np.arange(len(rows)) % len(class_labels or (0,)) if labels is None else labels
        key = options.pop("data_key", "features" if rows.ndim == 2 else "images")
        options.setdefault("dtype", rows.dtype)
        with HDF5DatasetWriter(rows.shape, tmp_path / name, key, **with_provenance(options)) as writer:
            writer.add(rows, labels, paths)
            writer.store_class_labels(class_labels)
        return tmp_path / name

    return write


@pytest.fixture
def numbered_images():
    """Return a function that makes images whose first channel is their row's number."""

    def make(n, height=6, width=5):
        images = np.random.default_rng(1).integers(0, 256, (n, height, width, 3), np.uint8)
        images[..., 0] = np.arange(n)[:, None, None]
        return images

    return make


@pytest.fixture
def bad_images():
    folder = SHARED_DATA / "bad_images"
    if not folder.is_dir():
        pytest.skip("the folder of broken images is not on this machine")
    return folder
