import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.ml.features import read_features

LABELS = np.repeat([0, 1], 6)


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 4)).astype(np.float32)


def test_features_labels_and_names_are_read(write_dataset, features):
    rows, labels, names = read_features(write_dataset(features, LABELS))
    np.testing.assert_array_equal(rows, features)
    np.testing.assert_array_equal(labels, LABELS)
    assert names == ["cat", "dog"]
    assert (rows.dtype, labels.dtype) == (np.float32, np.int64)


def test_the_book_s_files_are_read(tmp_path, features):
    with h5py.File(tmp_path / "book.hdf5", "w") as file:
        file["feature"], file["labels"] = features.astype(np.float64), LABELS
    rows, _, names = read_features(tmp_path / "book.hdf5")
    np.testing.assert_array_equal(rows, features)
    assert rows.dtype == np.float32
    assert names == ["0", "1"]


@pytest.mark.parametrize("options", [{}, {"encoding": "jpeg"}])
def test_images_are_no_features(write_dataset, numbered_images, options):
    path = write_dataset(numbered_images(12), LABELS, **options)
    with pytest.raises(
        UserError, match=r"db: .*data\.hdf5 must hold features of shape \(n, d\); .*run extract_features"
    ):
        read_features(path)


@pytest.mark.parametrize(
    ("labels", "counts"), [([0] * 12, r"\[12\]"), ([0] * 8 + [1] * 4, r"\[8, 4\]"), ([1] * 12, r"\[0, 12\]")]
)
def test_every_class_needs_some_rows(write_dataset, features, labels, counts):
    path = write_dataset(features, np.array(labels))
    with pytest.raises(UserError, match=f"must hold at least 2 classes of 5 rows each; it holds {counts} rows"):
        read_features(path)


def test_a_class_without_rows_does_no_harm(write_dataset, features):
    path = write_dataset(features, LABELS * 2, class_labels=("cat", "dog", "fox"))
    assert read_features(path)[2] == ["cat", "dog", "fox"]
