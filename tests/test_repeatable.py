"""The same command with the same seed makes the same files, on any number of threads and on any day."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from dogs_vs_cats import build_dogs_vs_cats, draw_sample, extract_features, train_model
from pyimagesearch.io import HDF5DatasetWriter

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[1]
N = 60
SETTINGS = """
from config.dogs_vs_cats_config import *

IMAGES_PATH = "images"
NUM_VAL_IMAGES, NUM_TEST_IMAGES = 10, 12
STORED_SIZE, INPUT_SIZE = 24, 16
TRAIN_HDF5, VAL_HDF5, TEST_HDF5 = "train.hdf5", "val.hdf5", "test.hdf5"
DATASET_MEAN = "mean.json"
FEATURES_HDF5 = "features.hdf5"
CLASSIFIER_PATH = "classifier.skops"
"""
BUILT = ["build.json", "mean.json", "test.hdf5", "train.hdf5", "val.hdf5"]
_numbers = itertools.count()


def write_images(folder, numbers):
    folder.mkdir()
    for number in numbers:
        rng = np.random.default_rng(number)
        height, width = (24, 24) if number % 5 == 0 else rng.integers(20, 60, 2)
        image = cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (int(width), int(height)))
        label = ("cat", "dog", "fox")[number % 3]
        (folder / f"{label}.{number}.jpg").write_bytes(cv2.imencode(".jpg", image)[1])


def write_config(folder, more=""):
    """Write a module of settings that no other test has imported, and return its name."""
    name = f"repeated_config_{next(_numbers)}"
    (folder / f"{name}.py").write_text(f"{SETTINGS}\n{more}\n", "utf-8")
    return name


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with images and a config, and the config's name."""
    root = tmp_path_factory.mktemp("repeated")
    write_images(root / "images", range(N))
    return root, write_config(root)


def build(root, config, output, *arguments):
    with contextlib.chdir(root):
        build_dogs_vs_cats.main(["--config", config, "--output", str(output), *arguments])
    return contents(output)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def different(first, second):
    return [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]


def splits(folder):
    found = {}
    for name in ("train", "val", "test"):
        with h5py.File(folder / f"{name}.hdf5") as file:
            found[name] = file["paths"].asstr()[:].tolist()
    return found


class TestBuild:
    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_two_runs_on_other_numbers_of_threads_make_the_same_bytes(self, place, tmp_path, encoding):
        first = build(*place, tmp_path / "first", "--encoding", encoding, "--jobs", "1")
        assert sorted(first) == BUILT
        for jobs, rows in (("1", "1000"), ("2", "7"), ("7", "1")):
            options = ["--encoding", encoding, "--jobs", jobs, "--buffer-size", rows]
            assert different(first, build(*place, tmp_path / f"jobs {jobs}", *options)) == []

    def test_replacing_files_makes_the_same_bytes(self, place, tmp_path):
        first = build(*place, tmp_path / "out")
        assert different(first, build(*place, tmp_path / "out", "--force", "--jobs", "3")) == []

    def test_neither_the_order_in_which_files_were_made_nor_their_place_matters(self, place, tmp_path):
        write_images(tmp_path / "copy", reversed(range(N)))
        first = build(*place, tmp_path / "first")
        assert different(first, build(*place, tmp_path / "second", "--dataset", str(tmp_path / "copy"))) == []

    def test_processes_with_other_hashes_of_strings_make_the_same_bytes(self, place, tmp_path):
        root, config = place
        made = []
        for seed in ("1", "2"):
            output = tmp_path / seed
            command = [sys.executable, "-m", "dogs_vs_cats.build_dogs_vs_cats", "--config", config, "--output", output]
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join((str(ROOT), str(root)))}
            subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
            made.append(contents(output))
        assert sorted(made[0]) == BUILT
        assert different(*made) == []

    def test_another_seed_makes_another_split_of_the_same_images(self, place, tmp_path):
        root, config = place
        first = build(root, config, tmp_path / "first")
        second = build(root, write_config(root, "SEED = 43"), tmp_path / "second")
        ours, theirs = splits(tmp_path / "first"), splits(tmp_path / "second")
        assert sorted(itertools.chain(*ours.values())) == sorted(itertools.chain(*theirs.values()))
        assert all(ours[name] != theirs[name] for name in ours)
        assert {"train.hdf5", "val.hdf5", "test.hdf5"} <= set(different(first, second))
        marks = [json.loads(made["build.json"])["build"] for made in (first, second)]
        assert marks[0] != marks[1]

    def test_seeds_next_to_each_other_choose_other_test_images(self, place, tmp_path):
        root, _ = place
        tests = []
        for seed in (0, 1, 2):
            build(root, write_config(root, f"SEED = {seed}"), tmp_path / str(seed))
            tests.append(tuple(splits(tmp_path / str(seed))["test"]))
        assert len(set(tests)) == 3


class TestDrawSample:
    def test_the_same_seed_draws_the_same_bytes_on_any_number_of_processes(self, tmp_path):
        drawn = []
        for name, jobs in (("first", "1"), ("second", "2")):
            draw_sample.main(["--output", str(tmp_path / name), "--images", "40", "--jobs", jobs])
            drawn.append(contents(tmp_path / name))
        assert len(drawn[0]) == len(set(drawn[0].values())) == 40
        assert different(*drawn) == []

    def test_another_seed_draws_other_images(self, tmp_path):
        for seed in ("1", "2"):
            draw_sample.main(["--output", str(tmp_path / seed), "--images", "4", "--jobs", "1", "--seed", seed])
        first, second = contents(tmp_path / "1"), contents(tmp_path / "2")
        assert first.keys() == second.keys()
        assert not set(first.values()) & set(second.values())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    keras.utils.set_random_seed(4)
    layers = [
        keras.Input((16, 16, 3)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(3, "softmax"),
    ]
    path = tmp_path_factory.mktemp("model") / "small.keras"
    described = Preparation(16, 16, "BGR", dict.fromkeys("RGB", 100.0), ["cat", "dog", "fox"])
    save_model(keras.Sequential(layers), path, described, Position())
    return str(path)


class TestExtractFeatures:
    def extract(self, place, model, output, *arguments):
        root, config = place
        with contextlib.chdir(root):
            extract_features.main(["--config", config, "--model", model, "--output", str(output), *arguments])
        return output.read_bytes()

    @pytest.mark.parametrize("source", ["folder", "raw", "jpeg"])
    def test_two_runs_make_the_same_bytes(self, place, model, tmp_path, source):
        data = []
        if source != "folder":
            build(*place, tmp_path / "built", "--encoding", source)
            data = ["--dataset", str(tmp_path / "built/train.hdf5")]
        first = self.extract(place, model, tmp_path / "first.hdf5", "--jobs", "1", *data)
        second = self.extract(place, model, tmp_path / "second.hdf5", "--jobs", "5", "--buffer-size", "9", *data)
        assert first == second

    def test_another_seed_makes_another_order_of_the_same_rows(self, place, model, tmp_path):
        root, _ = place
        self.extract(place, model, tmp_path / "a.hdf5")
        self.extract((root, write_config(root, "SEED = 7")), model, tmp_path / "b.hdf5")
        rows = []
        for name in ("a", "b"):
            with h5py.File(tmp_path / f"{name}.hdf5") as file:
                rows.append(dict(zip(file["paths"].asstr()[:], file["features"][:], strict=True)))
        assert list(rows[0]) != list(rows[1])
        assert rows[0].keys() == rows[1].keys()
        for path, features in rows[0].items():
            np.testing.assert_allclose(rows[1][path], features, atol=1e-3)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Features of three classes that overlap, so that accuracy is no round number."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 200)
    rows = rng.normal(size=(200, 12)) + np.eye(12)[labels]
    path = tmp_path_factory.mktemp("features") / "features.hdf5"
    with HDF5DatasetWriter((200, 12), path, "features") as writer:
        writer.add(rows.astype(np.float32), labels)
        writer.store_class_labels(["cat", "dog", "fox"])
    return path


class TestTrainModel:
    def train(self, place, features, output, jobs="1", config=None):
        import skops.io

        root, default = place
        output.mkdir()
        arguments = ["--db", str(features), "--model", str(output / "classifier.skops"), "--jobs", jobs]
        with contextlib.chdir(root):
            result = train_model.main([*arguments, "--config", config or default])
        return result, skops.io.load(output / "classifier.skops")

    def test_two_runs_give_the_same_accuracy_and_coefficients(self, place, features, tmp_path):
        first, ours = self.train(place, features, tmp_path / "first")
        second, theirs = self.train(place, features, tmp_path / "second", jobs="2")
        assert [first[key] for key in ("accuracy", "images", "best_c")] == [
            second[key] for key in ("accuracy", "images", "best_c")
        ]
        assert 1 / 3 < first["accuracy"] < 1
        for name in ("coef_", "intercept_", "classes_"):
            np.testing.assert_array_equal(getattr(ours[-1], name), getattr(theirs[-1], name))
        np.testing.assert_array_equal(ours[0].mean_, theirs[0].mean_)
        pictures = [(tmp_path / name / "classifier_confusion_matrix.png").read_bytes() for name in ("first", "second")]
        assert pictures[0] == pictures[1]

    def test_another_seed_holds_other_rows_out(self, place, features, tmp_path):
        _, ours = self.train(place, features, tmp_path / "first")
        _, theirs = self.train(place, features, tmp_path / "second", config=write_config(place[0], "SEED = 1"))
        assert (ours[0].mean_ != theirs[0].mean_).any()
