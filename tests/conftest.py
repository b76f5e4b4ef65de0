"""Fixtures of all tests: seeded numbers, small data sets, and folders of real broken files."""

from pathlib import Path

import h5py
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
def write_features(tmp_path):
    """Return a function that writes features of classes that overlap with h5py alone, and returns the path."""

    def write(n=300, d=20, classes=2, distance=1.0, dtype=np.float32, name="features.hdf5", names=(), **options):
        rng = np.random.default_rng(7)
        labels = rng.integers(0, classes, n)
        labels[: 5 * classes] = np.arange(5 * classes) % classes
        rows = np.maximum(rng.normal(size=(n, d)) + distance * np.eye(classes, d)[labels], 0)
        with h5py.File(tmp_path / name, "w") as file:
            file.create_dataset("features", data=rows.astype(dtype), **options)
            file["labels"] = labels
            if names:
                file["label_names"] = list(names)
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
