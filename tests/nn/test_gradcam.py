import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.flatnetwork import FlatNetwork
from pyimagesearch.nn.gradcam import GradCAM, overlay
from pyimagesearch.nn.modelfile import dtype_policy

ROOT = Path(__file__).resolve().parents[2]
ON_ANOTHER_BACKEND = """
import sys
import keras
import numpy as np
from pyimagesearch.nn.gradcam import GradCAM

given = np.load(sys.argv[1])
model = keras.saving.load_model(sys.argv[2])
last = GradCAM(model).heatmap(given["images"], given["classes"])
keras.config.set_image_data_format("channels_first")
turned = keras.Sequential([keras.Input((3, 24, 20))])
for layer in model.layers:
    config = layer.get_config()
    turned.add(type(layer).from_config({key: config[key] for key in config if key != "data_format"}))
turned.set_weights(model.get_weights())
first = GradCAM(turned).heatmap(given["images"].transpose(0, 3, 1, 2), given["classes"])
np.savez(sys.argv[3], last=last, first=first)
print(keras.backend.backend())
"""

layers = keras.layers


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(1)


def detector(blue=(1, -1), red=(-1, 1), end="softmax"):
    """Return a network of two classes, to whose scores blue in the image adds, and red."""
    convolution, dense = layers.Conv2D(2, 3, padding="same", activation="relu"), layers.Dense(2, end)
    model = keras.Sequential([keras.Input((24, 20, 3)), convolution, layers.GlobalAveragePooling2D(), dense])
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[:, :, 0, 0] = kernel[:, :, 2, 1] = 1 / 9
    convolution.set_weights([kernel, np.zeros(2, np.float32)])
    dense.set_weights([np.array([blue, red], np.float32), np.zeros(2, np.float32)])
    return model


def blue_and_red():
    """Return an image with a blue spot at (17, 4) and a red one at (5, 12)."""
    image = np.zeros((24, 20, 3), np.float32)
    image[16:19, 3:6, 0] = 200
    image[4:7, 11:14, 2] = 100
    return image


def small_network():
    return keras.Sequential([
        keras.Input((16, 14, 3)), layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(),
        layers.Dropout(0.3), layers.Flatten(), layers.Dense(16, "tanh"), layers.Dense(3, "softmax"),
    ])  # fmt: skip


def log_odds(scores, classes):
    """Return the sum of the images' log-odds, p / (1 - p) of their classes."""
    chosen = keras.ops.sum(keras.ops.softmax(scores) * keras.ops.one_hot(classes, scores.shape[-1]), axis=1)
    return keras.ops.sum(keras.ops.log(chosen / (1 - chosen)))


def true_derivatives(head, maps, classes):
    """Return the derivative of each image's log-odds by its maps, by the backend's own differentiation."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            values = tf.constant(maps)
            with tf.GradientTape() as tape:
                tape.watch(values)
                odds = log_odds(head(values), classes)
            return tape.gradient(odds, values).numpy()
        case "jax":
            import jax

            return np.asarray(jax.grad(lambda values: log_odds(head(values), classes))(maps))
        case _:
            import torch

            values = torch.tensor(maps, requires_grad=True)
            log_odds(head(values), classes).backward()
            return values.grad.numpy()


def test_it_shows_the_place_of_the_class():
    cam, images = GradCAM(detector()), np.stack([blue_and_red()] * 2)
    blue, red = cam.heatmap(images, [0, 1])
    assert np.unravel_index(blue.argmax(), blue.shape) == (17, 4)
    assert np.unravel_index(red.argmax(), red.shape) == (5, 12)
    assert blue[5, 12] == red[17, 4] == 0
    assert (blue.dtype, blue.shape, blue.max(), red.max()) == (np.float32, (24, 20), 1, 1)


def test_a_class_is_what_sets_it_apart_from_the_others():
    """Also where both scores fall with each colour, and where all that is blue is red as well, and that weighs more."""
    blue, red = GradCAM(detector((-1, -2), (-2, -1))).heatmap(np.stack([blue_and_red()] * 2), [0, 1])
    assert blue[17, 4] == red[5, 12] == 1
    assert blue[5, 12] == red[17, 4] == 0
    image = blue_and_red()
    image[..., 2] = image[..., 0]
    blue, red = GradCAM(detector((1, -1), (-9, 9))).heatmap(np.stack([image] * 2), [0, 1])
    assert blue[17, 4] == red[17, 4] == 1


def test_classes_that_an_image_may_have_at_once_are_no_rivals():
    """Of the first class both colours are marks, although red is one of the second still more."""
    images = blue_and_red()[None]
    assert GradCAM(detector((2, 0), (2, 9), "softmax")).heatmap(images, 0)[0, 5, 12] == 0
    assert GradCAM(detector((2, 0), (2, 9), "sigmoid")).heatmap(images, 0)[0, 5, 12] > 0.4


def test_it_agrees_with_differentiation(rng):
    model, classes = small_network(), [0, 2, 1, 1]
    model.get_layer(index=3).set_weights([rng.uniform(0.5, 2, 8), rng.normal(size=8), rng.normal(size=8), np.ones(8)])
    images = rng.normal(size=(4, 16, 14, 3)).astype(np.float32)
    front, head = FlatNetwork(model).split_after_convolutions()
    maps = np.array(front.predict_on_batch(images))
    weights = np.maximum(true_derivatives(head, maps, classes).sum(axis=(1, 2)), 0)
    expected = np.maximum((maps * weights[:, None, None, :]).sum(axis=-1), 0)
    expected /= expected.max(axis=(1, 2), keepdims=True)
    assert expected.std() > 0.1

    assert front.output_shape[1:3] == (5, 4)
    heat = GradCAM(model).heatmap(images, classes)
    for one, shown in zip(expected, heat, strict=True):
        large = cv2.resize(one, (14, 16), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(shown, large / large.max(), atol=1e-2)


def test_each_image_has_the_map_that_it_has_alone(rng):
    cam = GradCAM(small_network())
    images = rng.normal(size=(3, 16, 14, 3)).astype(np.float32)
    together = cam.heatmap(images, [0, 1, 2])
    for number in range(3):
        alone = cam.heatmap(images[number : number + 1], number)
        np.testing.assert_allclose(alone[0], together[number], atol=1e-3)


def test_the_model_gives_the_same_afterwards(rng):
    model, images = small_network(), rng.normal(size=(3, 16, 14, 3)).astype(np.float32)
    before, weights = model.predict_on_batch(images), model.get_weights()
    GradCAM(model).heatmap(images, 1)
    np.testing.assert_array_equal(model.predict_on_batch(images), before)
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nothing_speaks_for_a_class():
    assert not GradCAM(detector()).heatmap(np.zeros((1, 24, 20, 3), np.float32), 1).any()


def test_no_images():
    assert GradCAM(detector()).heatmap(np.zeros((0, 24, 20, 3), np.float32), 1).shape == (0, 24, 20)


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((24, 20, 3), 0, r"image_batch: must have shape \(n, 24, 20, 3\); received \(24, 20, 3\)"),
        ((1, 24, 21, 3), 0, r"image_batch: must have shape \(n, 24, 20, 3\); received \(1, 24, 21, 3\)"),
        ((2, 24, 20, 3), 2, r"classes: must be a whole number from 0 to 1 for each of 2 images, .*received 2"),
        ((2, 24, 20, 3), [0], r"classes: must be .* received \[0\]"),
        ((2, 24, 20, 3), [0, -1], r"classes: must be .* received \[0, -1\]"),
        ((2, 24, 20, 3), 0.5, r"classes: must be .* received 0\.5"),
    ],
)
def test_mistakes(shape, classes, message):
    with pytest.raises(UserError, match=message):
        GradCAM(detector()).heatmap(np.zeros(shape, np.float32), classes)


def test_a_model_without_convolution_is_refused():
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten(), layers.Dense(2, "softmax")])
    with pytest.raises(UserError, match=r"model: must have a convolution .*received a network without"):
        GradCAM(model)


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is compared with TensorFlow")
def test_other_backends_and_channels_first_give_the_same(backend, tmp_path, rng):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    model = keras.Sequential([
        keras.Input((24, 20, 3)), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax"),
    ])  # fmt: skip
    images, classes = rng.normal(size=(4, 24, 20, 3)).astype(np.float32), np.array([0, 2, 1, 0])
    expected = GradCAM(model).heatmap(images, classes)
    assert expected.std() > 0.1
    given, saved, found = (tmp_path / name for name in ("given.npz", "model.keras", "found.npz"))
    np.savez(given, images=images, classes=classes)
    model.save(saved)
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ON_ANOTHER_BACKEND, *map(str, (given, saved, found))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == backend
    for name, heat in np.load(found).items():
        np.testing.assert_allclose(heat, expected, atol=1e-2, err_msg=name)


class TestOverlay:
    def test_heat_is_laid_over_the_image(self):
        image = np.full((40, 30, 3), 100, np.uint8)
        heat = np.zeros((4, 3), np.float32)
        heat[0, 0] = 1
        shown = overlay(image, heat)
        assert (shown.shape, shown.dtype) == ((40, 30, 3), np.uint8)
        assert shown[0, 0].astype(int).sum() > shown[-1, -1].astype(int).sum() + 100
        assert (image == 100).all()

    @pytest.mark.parametrize("shape", [(5, 6), (5, 6, 1)])
    def test_gray_images_become_colourful(self, shape):
        shown = overlay(np.full(shape, 9, np.uint8), np.ones((5, 6)))
        assert shown.shape == (5, 6, 3)
        assert np.ptp(shown[0, 0].astype(int)) > 20

    @pytest.mark.parametrize(
        ("image", "heat", "message"),
        [
            (np.zeros((5, 6, 3), np.float32), np.zeros((5, 6)), r"image_bgr: must be uint8 .*received float32"),
            (np.zeros((5, 6, 4), np.uint8), np.zeros((5, 6)), r"image_bgr: .*received uint8 of shape \(5, 6, 4\)"),
            (np.zeros((5, 6, 3), np.uint8), np.zeros((1, 5, 6)), r"heatmap: .*received shape \(1, 5, 6\)"),
            (np.zeros((5, 6, 3), np.uint8), np.full((5, 6), 2.0), r"heatmap: must be numbers in \[0, 1\]"),
            (np.zeros((5, 6, 3), np.uint8), np.full((5, 6), np.nan), r"heatmap: must be numbers in \[0, 1\]"),
        ],
    )
    def test_mistakes(self, image, heat, message):
        with pytest.raises(UserError, match=message):
            overlay(image, heat)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_network_of_mixed_precision_has_the_maps_of_float32(precision, rng):
    """Small differences would drown in 8 bits of mantissa."""

    def build():
        keras.utils.set_random_seed(1)
        convolution = layers.Conv2D(8, 3, activation="relu")
        last = layers.Dense(2, "softmax", dtype="float32")
        model = keras.Sequential([keras.Input((24, 20, 3)), convolution, layers.BatchNormalization()])
        for layer in (layers.Flatten(), layers.Dense(16, activation="relu"), last):
            model.add(layer)
        return model

    images = rng.normal(size=(4, 24, 20, 3)).astype(np.float32)
    whole = build()
    with dtype_policy(precision):
        mixed = build()
    mixed.set_weights(whole.get_weights())
    found, expected = (GradCAM(model).heatmap(images, [0, 1, 0, 1]) for model in (mixed, whole))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert mixed.layers[0].dtype_policy.name == precision
