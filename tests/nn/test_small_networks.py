"""Common behaviour of all small networks."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.conv import CifarNet, MnistNet
from pyimagesearch.nn.dense import MultilayerPerceptron, SoftmaxRegression

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = [CifarNet, MnistNet, MultilayerPerceptron, SoftmaxRegression]
ON_ANOTHER_BACKEND = """
import keras, numpy as np
from pyimagesearch.nn.conv import CifarNet, MnistNet
from pyimagesearch.nn.dense import MultilayerPerceptron, SoftmaxRegression
for network in (CifarNet, MnistNet, MultilayerPerceptron, SoftmaxRegression):
    model = network.build(12, 10, 3, 4, scale=1 / 255)
    probabilities = np.asarray(model.predict_on_batch(np.full((2, 10, 12, 3), 128, np.uint8)))
    assert probabilities.shape == (2, 4) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5), network
    model.compile("sgd", "categorical_crossentropy")
    model.train_on_batch(np.ones((2, 10, 12, 3), np.uint8), np.eye(4)[:2])
print(keras.backend.backend())
"""

every_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)


@pytest.fixture
def channels_first():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def kernel_shapes(model):
    kinds = keras.layers.Conv2D | keras.layers.Dense
    return [tuple(layer.kernel.shape) for layer in layers_of(model, kinds)]


@pytest.mark.parametrize(
    ("network", "size", "depth", "parameters"),
    [
        (SoftmaxRegression, 28, 1, 784 * 10 + 10),
        (MultilayerPerceptron, 28, 1, 2 * (784 * 784 + 784) + 784 * 10 + 10),
        (MnistNet, 28, 1, (9 * 32 + 32) + (9 * 32 * 64 + 64) + (12 * 12 * 64 * 128 + 128) + 1290),
        (CifarNet, 32, 3, (27 * 16 + 16) + (9 * 16 * 32 + 32) + 4 * 32 + (15 * 15 * 32 * 128 + 128) + 1290),
    ],
)
def test_the_networks_of_the_tutorials_have_the_parameters_that_they_document(network, size, depth, parameters):
    model = network.build(size, size, depth, 10)
    assert model.count_params() == parameters
    assert f"{parameters:,} parameters" in network.build.__doc__


@every_network
def test_width_and_height_are_not_confused(network, rng):
    model = network.build(width=9, height=7, depth=2, classes=3)
    assert model.input_shape == (None, 7, 9, 2)
    probabilities = model.predict_on_batch(rng.random((4, 7, 9, 2), np.float32))
    assert probabilities.shape == (4, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@every_network
def test_a_scaled_network_takes_bytes(network, rng):
    plain, scaled = network.build(8, 8, 3, 5), network.build(8, 8, 3, 5, scale=1 / 255)
    assert scaled.count_params() == plain.count_params()
    scaled.set_weights(plain.get_weights())
    pixels = rng.integers(0, 256, (3, 8, 8, 3), np.uint8)
    expected = plain.predict_on_batch(pixels.astype(np.float32) / 255)
    np.testing.assert_allclose(scaled.predict_on_batch(pixels), expected, rtol=1e-4)


@every_network
def test_channels_come_first_where_keras_is_set_so(network, channels_first):
    model = network.build(9, 7, 2, 3)
    assert model.input_shape == (None, 2, 7, 9)
    keras.config.set_image_data_format("channels_last")
    assert kernel_shapes(model) == kernel_shapes(network.build(9, 7, 2, 3))
    assert [norm.gamma.shape for norm in layers_of(model, keras.layers.BatchNormalization)] in ([], [(32,)])


@every_network
def test_it_learns_where_the_bright_half_is(network, rng):
    keras.utils.set_random_seed(0)
    labels = np.arange(64) % 2
    images = rng.random((64, 8, 8, 1), np.float32)
    images[labels == 0, :4] += 1
    images[labels == 1, 4:] += 1
    model = network.build(8, 8, 1, 2)
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    before = model.evaluate(images, np.eye(2)[labels], verbose=0, return_dict=True)
    model.fit(images, np.eye(2)[labels], batch_size=16, epochs=15, verbose=0)
    after = model.evaluate(images, np.eye(2)[labels], verbose=0, return_dict=True)
    assert after["loss"] < before["loss"]
    assert after["accuracy"] > 0.9


@every_network
@pytest.mark.parametrize("classes", [1, 0, -2])
def test_one_class_is_too_few(network, classes):
    with pytest.raises(UserError, match=f"classes: must be at least 2; received {classes}"):
        network.build(28, 28, 1, classes)


@every_network
def test_an_image_has_channels(network):
    with pytest.raises(UserError, match="depth: must be at least 1, the channels of an image; received 0"):
        network.build(28, 28, 0, 10)


@pytest.mark.parametrize(
    ("network", "smallest"), [(SoftmaxRegression, 1), (MultilayerPerceptron, 1), (MnistNet, 6), (CifarNet, 4)]
)
def test_the_smallest_input(network, smallest):
    assert network.build(smallest, smallest, 1, 2).output_shape == (None, 2)
    for width, height in ((smallest - 1, 28), (28, smallest - 1)):
        message = f"{network.__name__} needs at least {smallest}x{smallest} pixels; received {width}x{height}"
        with pytest.raises(UserError, match=f"width, height: {message}"):
            network.build(width, height, 1, 2)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_networks_work_on_the_other_backends(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ON_ANOTHER_BACKEND]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == backend
