"""An interrupted extraction of features is resumed, and makes the same bytes."""

import contextlib
import os

import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.features.extraction import FeatureExtraction
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.features.imagesource import open_images
from pyimagesearch.io import HDF5DatasetWriter, label_from_name
from pyimagesearch.nn.modelfile import Position, Preparation, save_model

ROWS = 45
ONE = {"names": "model.keras"}
SEVERAL = {"names": "model.keras,mobilenet", "weights": ",none", "alpha": ",0.25", "flip": True}


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


def write(model, batches, dataset):
    for batch in batches:
        dataset.add(model.predict(batch.images), batch.labels, batch.paths)


def extract(output, network=ONE, resume=False, **options):
    """Extract features in batches of 4; return the number of those that were there."""
    with open_images("images.hdf5", label_from_name, threads=2) as images:
        order = np.random.default_rng(42).permutation(ROWS)
        extraction = FeatureExtraction(FeatureExtractor.from_names(**network), images, order, batch_size=4, **options)
        return extraction.run(write, output, buf_size=6, resume=resume)


def stop_after(monkeypatch, batches, error):
    """Raise ``error`` instead of the features of a later batch."""
    whole, calls = FeatureExtractor.predict, iter(range(1000))

    def predict_some(self, inputs):
        if next(calls) >= batches:
            raise error
        return whole(self, inputs)

    monkeypatch.setattr(FeatureExtractor, "predict", predict_some)
    return lambda: monkeypatch.setattr(FeatureExtractor, "predict", whole)


@pytest.mark.parametrize(("batches", "network"), [(0, ONE), (3, ONE), (7, ONE), (5, SEVERAL)])
def test_it_is_resumed_after_ctrl_c(workplace, monkeypatch, batches, network):
    assert extract("whole.hdf5", network) == 0
    heal = stop_after(monkeypatch, batches, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        extract("broken.hdf5", network)
    assert os.path.exists("broken.hdf5.partial")
    assert not os.path.exists("broken.hdf5")
    heal()
    assert extract("broken.hdf5", network, resume=True) == 4 * batches
    assert (workplace / "broken.hdf5").read_bytes() == (workplace / "whole.hdf5").read_bytes()


def test_shards_hold_the_same_features(workplace):
    extract("whole.hdf5")
    extract("shards.hdf5", shards=3)
    assert len(list(workplace.glob("shards-*-of-00003.hdf5"))) == 3
    with h5py.File("whole.hdf5") as whole, h5py.File("shards.hdf5") as shards:
        np.testing.assert_array_equal(whole["features"][:], shards["features"][:])


def test_after_an_error_nothing_is_left(workplace, monkeypatch):
    stop_after(monkeypatch, 3, UserError("stop"))
    with pytest.raises(UserError, match="stop"):
        extract("broken.hdf5")
    assert not [name for name in os.listdir() if name.startswith("broken")]


def test_another_model_starts_from_the_beginning(workplace, monkeypatch):
    heal = stop_after(monkeypatch, 5, KeyboardInterrupt)
    with contextlib.suppress(KeyboardInterrupt):
        extract("broken.hdf5")
    heal()
    model = keras.saving.load_model("model.keras")
    model.layers[1].kernel.assign(model.layers[1].kernel * 2)
    preparation = Preparation(8, 8, "BGR", {"R": 1.0, "G": 2.0, "B": 3.0}, ["cat", "dog"])
    save_model(model, "model.keras", preparation, Position())
    assert extract("broken.hdf5", resume=True) == 0
    extract("whole.hdf5")
    assert (workplace / "broken.hdf5").read_bytes() == (workplace / "whole.hdf5").read_bytes()


def test_a_finished_one_stays_as_it_is(workplace):
    extract("whole.hdf5")
    before = os.stat("whole.hdf5").st_mtime_ns
    assert extract("whole.hdf5", resume=True) == ROWS
    assert os.stat("whole.hdf5").st_mtime_ns == before


def test_one_of_other_settings_is_not_taken_for_finished(workplace):
    extract("whole.hdf5")
    with pytest.raises(UserError, match=r"whole\.hdf5 exists and comes from another build"):
        extract("whole.hdf5", ONE | {"flip": True}, resume=True)
