import os

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.predicting.predictionsfile import read_classes, read_paths, write_predictions

LABELS, PREDICTIONS, NAMES = np.array([1, 0, 1]), np.array([1, 1, 0]), ["cat", "dög"]
PROBABILITIES = np.array([[0.25, 0.75], [0.5, 0.5], [1, 0]])


def test_h5py_reads_it_all(tmp_path):
    path = tmp_path / "new" / "predictions.hdf5"
    write_predictions(path, PREDICTIONS, LABELS, NAMES, PROBABILITIES, np.array([7, 8, 9]), ["ä", "b/c.jpg", "d"])
    with h5py.File(path) as file:
        assert file["predictions"].dtype == file["labels"].dtype == file["rows"].dtype == np.int64
        assert file["probabilities"].dtype == np.float32
        np.testing.assert_array_equal(file["probabilities"], PROBABILITIES)
        found = {name: file[name][:].tolist() for name in ("predictions", "labels", "rows")}
        assert found == {"predictions": [1, 1, 0], "labels": [1, 0, 1], "rows": [7, 8, 9]}
        assert file["label_names"].asstr()[:].tolist() == NAMES
        assert file["paths"].asstr()[:].tolist() == ["ä", "b/c.jpg", "d"]


def test_what_is_not_known_is_left_out(tmp_path):
    write_predictions(tmp_path / "a.hdf5", PREDICTIONS, LABELS, NAMES)
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert sorted(file) == ["label_names", "labels", "predictions", "rows"]
        assert file["rows"][:].tolist() == [0, 1, 2]


def test_the_same_predictions_make_the_same_file_in_place_of_an_older_one(tmp_path):
    first, second = tmp_path / "a.hdf5", tmp_path / "b.hdf5"
    second.write_text("old")
    for path in (first, second):
        write_predictions(path, PREDICTIONS, LABELS, NAMES, PROBABILITIES)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.hdf5", "b.hdf5"]


def test_an_older_file_stays_if_the_new_one_cannot_be_written(tmp_path):
    path = tmp_path / "a.hdf5"
    path.write_text("old")
    with pytest.raises(ValueError, match="could not convert"):
        write_predictions(path, PREDICTIONS, LABELS, NAMES, np.array([["some", "text"]]))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.hdf5"]


def test_paths_of_a_data_set(write_dataset, numbered_images):
    paths = ["a.jpg", "b.jpg", "c.jpg"]
    assert read_paths(write_dataset(numbered_images(3), paths=paths), 3) == paths
    assert read_paths(write_dataset(numbered_images(3), name="without.hdf5"), 3) is None


def test_another_number_of_paths_is_left_out(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["features"], file["labels"], file["paths"] = np.ones((3, 2)), [0, 1, 0], ["a", "b"]
    assert read_paths(tmp_path / "a.hdf5", 3) is None


def test_classes_by_path(tmp_path):
    write_predictions(tmp_path / "a.hdf5", PREDICTIONS, LABELS, NAMES, paths=["ä", "b/c.jpg", "d"])
    assert read_classes(tmp_path / "a.hdf5") == {"ä": ("dög", "dög"), "b/c.jpg": ("cat", "dög"), "d": ("dög", "cat")}
    write_predictions(tmp_path / "b.hdf5", PREDICTIONS, LABELS, NAMES)
    assert read_classes(tmp_path / "b.hdf5") == {}
    (tmp_path / "c.hdf5").write_text("no HDF5")
    with h5py.File(tmp_path / "d.hdf5", "w") as file:
        file["paths"] = ["a"]
    for name in ("c.hdf5", "d.hdf5", "gone.hdf5"):
        with pytest.raises(UserError, match=f"predictions: .*{name} must be a file of predictions"):
            read_classes(tmp_path / name)
