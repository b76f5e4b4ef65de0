"""A small data set, and a model that learns from it."""

import keras
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator
from tests.callbacks.tinytraining import BATCH, BATCHES, ROWS


@pytest.fixture
def path(write_dataset, rng):
    return write_dataset(rng.integers(0, 256, (ROWS, 8, 8, 3), np.uint8))


@pytest.fixture
def generate(path):
    made = []

    def make(*preprocessors, **options):
        made.append(HDF5DatasetGenerator(path, BATCH, preprocessors, **{"threads": 1, **options}))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    model = keras.Sequential(layers)
    rate = keras.optimizers.schedules.PolynomialDecay(1e-3, 2 * BATCHES, 0.0)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model
