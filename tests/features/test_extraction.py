"""An extraction of features that was stopped goes on, and makes the same bytes."""

import contextlib
import os

import keras
import numpy as np
import pytest

from dogs_vs_cats import extract_features
from pyimagesearch.errors import UserError
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.nn.modelfile import Position, Preparation, save_model

ROWS = 45
SEVERAL = ["-m", "model.keras,mobilenet", "--weights", ",none", "--alpha", ",0.25", "--flip"]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A data set, a tiny model with its preparation, and a place to work in."""
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8, 3), dtype=np.uint8)
    with HDF5DatasetWriter(images.shape, "images.hdf5") as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(images, np.arange(ROWS) % 2, [f"{i}.jpg" for i in range(ROWS)])
    keras.utils.set_random_seed(0)
    flat = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(5, activation="relu")]
    model = keras.Sequential([*flat, keras.layers.Dense(2, activation="softmax")])
    preparation = Preparation(8, 8, "BGR", {"R": 1.0, "G": 2.0, "B": 3.0}, ["cat", "dog"])
    save_model(model, "model.keras", preparation, Position())
    return tmp_path


def extract(output, *options):
    extract_features.main(
        ["-d", "images.hdf5", "-m", "model.keras", "-o", output, "-b", "4", "-s", "6", *options]
    )  # fmt: skip


def stop_after(monkeypatch, batches, error):
    """Raise ``error`` instead of the features of a later batch."""
    whole, calls = FeatureExtractor.extract, iter(range(1000))

    def extract_some(self, inputs):
        if next(calls) >= batches:
            raise error
        return whole(self, inputs)

    monkeypatch.setattr(FeatureExtractor, "extract", extract_some)
    return lambda: monkeypatch.setattr(FeatureExtractor, "extract", whole)


@pytest.mark.parametrize(("batches", "options"), [(0, []), (3, []), (7, []), (5, SEVERAL)])
def test_after_ctrl_c_it_goes_on(workplace, monkeypatch, batches, options):
    extract("whole.hdf5", *options)
    heal = stop_after(monkeypatch, batches, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        extract("broken.hdf5", *options)
    assert os.path.exists("broken.hdf5.partial")
    assert not os.path.exists("broken.hdf5")
    heal()
    extract("broken.hdf5", "--resume", *options)
    assert (workplace / "broken.hdf5").read_bytes() == (workplace / "whole.hdf5").read_bytes()


def test_after_an_error_nothing_is_left(workplace, monkeypatch):
    stop_after(monkeypatch, 3, UserError("stop"))
    with pytest.raises(UserError, match="stop"):
        extract("broken.hdf5")
    assert not [name for name in os.listdir() if name.startswith("broken")]


def test_another_model_starts_anew(workplace, monkeypatch):
    heal = stop_after(monkeypatch, 5, KeyboardInterrupt)
    with contextlib.suppress(KeyboardInterrupt):
        extract("broken.hdf5")
    heal()
    model = keras.saving.load_model("model.keras")
    model.layers[1].kernel.assign(model.layers[1].kernel * 2)
    preparation = Preparation(8, 8, "BGR", {"R": 1.0, "G": 2.0, "B": 3.0}, ["cat", "dog"])
    save_model(model, "model.keras", preparation, Position())
    extract("broken.hdf5", "--resume")
    extract("whole.hdf5")
    assert (workplace / "broken.hdf5").read_bytes() == (workplace / "whole.hdf5").read_bytes()


def test_one_that_is_finished_stays_as_it_is(workplace, capsys):
    extract("whole.hdf5")
    before = os.stat("whole.hdf5").st_mtime_ns
    extract("whole.hdf5", "--resume")
    assert "whole.hdf5 is complete" in capsys.readouterr().out
    assert os.stat("whole.hdf5").st_mtime_ns == before


def test_one_of_other_settings_is_not_taken_for_finished(workplace):
    extract("whole.hdf5")
    with pytest.raises(UserError, match=r"--resume: whole\.hdf5 exists and comes from another build"):
        extract("whole.hdf5", "--resume", "--flip")
