"""Features of classes that overlap, so that no classifier is perfect."""

import h5py
import numpy as np
import pytest


@pytest.fixture
def write_features(tmp_path):
    """Return a function that writes features with h5py alone, and returns the path."""

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
