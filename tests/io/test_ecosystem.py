"""The generator inside tf.data, under a distribution strategy, and on other backends."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter

ROOT = Path(__file__).resolve().parents[2]
ROWS = 21

ON_ANOTHER_BACKEND = """
import keras, numpy as np, sys
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import mean_subtraction
train = HDF5DatasetGenerator(sys.argv[1], 4, shuffle=True, dtype="uint8")
plain = HDF5DatasetGenerator(sys.argv[1], 4, dtype="uint8")
model = keras.Sequential([
    keras.Input((8, 8, 3)), mean_subtraction({"R": 1.0, "G": 2.0, "B": 3.0}),
    keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train, validation_data=plain, epochs=2, shuffle=False, verbose=0).history
assert len(history["val_loss"]) == 2, history
predictions = model.predict(plain, verbose=0)
assert predictions.shape == (21, 2), predictions.shape
by_hand = np.concatenate([model.predict_on_batch(plain[i][0]) for i in range(len(plain))])
np.testing.assert_allclose(predictions, by_hand, rtol=1e-4)
assert 0 <= model.evaluate(plain, verbose=0)[1] <= 1
print("trained on", keras.backend.backend())
"""

# Every image is filled with its row's number, which is also its label. If memory were used again while
# the backend still reads it, numbers and labels would part.
NUMBERS_STAY_WITH_THEIR_LABELS = """
import keras, sys
from pyimagesearch.io import HDF5DatasetGenerator
generator = HDF5DatasetGenerator(sys.argv[1], 8, binarize=False, classes=400, shuffle=True)
head = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
model = keras.Sequential(
    [keras.Input((64, 64, 3)), keras.layers.GlobalMaxPooling2D(), keras.layers.Lambda(lambda x: x[:, :1]), head])
model.compile(keras.optimizers.SGD(0.0), "mse")
assert model.evaluate(generator, verbose=0) == 0
history = model.fit(generator, epochs=4, shuffle=False, verbose=0).history["loss"]
assert history == [0.0] * 4, history
print("sound on", keras.backend.backend())
"""


@pytest.fixture
def data(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8, 3), dtype=np.uint8)
    images[..., 0] = np.arange(ROWS)[:, None, None]
    with HDF5DatasetWriter(images.shape, tmp_path / "data.hdf5") as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(images, np.arange(ROWS) % 2)
    return tmp_path / "data.hdf5"


def run_on(backend, program, data):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program, str(data)], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_it_feeds_other_backends(data, backend):
    done = run_on(backend, ON_ANOTHER_BACKEND, data)
    assert f"trained on {backend}" in done.stdout, done.stderr[-2000:]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_batch_stays_as_it_is_while_a_backend_reads_it(tmp_path, backend):
    numbers = np.arange(400)
    images = np.broadcast_to(numbers.astype(np.float32)[:, None, None, None], (400, 64, 64, 3))
    with HDF5DatasetWriter(images.shape, tmp_path / "numbers.hdf5", dtype="float32") as writer:
        writer.add(images, numbers)
    done = run_on(backend, NUMBERS_STAY_WITH_THEIR_LABELS, tmp_path / "numbers.hdf5")
    assert f"sound on {backend}" in done.stdout, done.stderr[-2000:]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs the TensorFlow backend")
def test_it_becomes_a_tf_dataset_whose_passes_are_epochs(data):
    dataset = HDF5DatasetGenerator(data, 4, shuffle=True, seed=1).as_tf_dataset()
    assert len(dataset) == 6
    passes = [np.concatenate([images.numpy()[:, 0, 0, 0] for images, _ in dataset]) for _ in range(2)]
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(ROWS))
    assert list(passes[0]) != list(passes[1])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs the TensorFlow backend")
def test_every_row_reaches_a_model_under_a_distribution_strategy(data):
    """Each image carries its row's number; the metric adds up the numbers that arrive."""
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D()])
        model.compile("sgd", "mse", metrics=[keras.metrics.MeanSquaredError()])
        predictions = model.predict(HDF5DatasetGenerator(data, 4), verbose=0)
    assert np.rint(predictions[:, 0]).tolist() == list(range(ROWS))
