import cv2
import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.flat import FlatNetwork
from pyimagesearch.nn.gradcam import GradCAM, overlay

layers = keras.layers


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(1)


def detector():
    """Return a network of which class 0 is the amount of blue in the image, class 1 that of red."""
    convolution, dense = layers.Conv2D(2, 3, padding="same", activation="relu"), layers.Dense(2, "softmax")
    model = keras.Sequential([keras.Input((24, 20, 3)), convolution, layers.GlobalAveragePooling2D(), dense])
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[:, :, 0, 0] = kernel[:, :, 2, 1] = 1 / 9
    convolution.set_weights([kernel, np.zeros(2, np.float32)])
    dense.set_weights([np.array([[1, -1], [-1, 1]], np.float32), np.zeros(2, np.float32)])
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


def true_derivatives(head, maps, classes):
    """Return the derivative of each image's score by its maps, by the backend's own differentiation."""
    rows = np.arange(len(maps))
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            values = tf.constant(maps)
            with tf.GradientTape() as tape:
                tape.watch(values)
                score = tf.reduce_sum(tf.gather(head(values), classes, batch_dims=1))
            return tape.gradient(score, values).numpy()
        case "jax":
            import jax

            return np.asarray(jax.grad(lambda values: head(values)[rows, np.array(classes)].sum())(maps))
        case _:
            import torch

            values = torch.tensor(maps, requires_grad=True)
            head(values)[rows, classes].sum().backward()
            return values.grad.numpy()


def test_it_shows_the_place_of_the_class():
    cam, images = GradCAM(detector()), np.stack([blue_and_red()] * 2)
    blue, red = cam.heatmap(images, [0, 1])
    assert np.unravel_index(blue.argmax(), blue.shape) == (17, 4)
    assert np.unravel_index(red.argmax(), red.shape) == (5, 12)
    assert blue[5, 12] == red[17, 4] == 0
    assert (blue.dtype, blue.shape, blue.max(), red.max()) == (np.float32, (24, 20), 1, 1)


def test_it_agrees_with_differentiation(rng):
    model, classes = small_network(), [0, 2, 1, 1]
    model.get_layer(index=3).set_weights([rng.uniform(0.5, 2, 8), rng.normal(size=8), rng.normal(size=8), np.ones(8)])
    images = rng.normal(size=(4, 16, 14, 3)).astype(np.float32)
    front, head = FlatNetwork(model).split_behind_convolutions()
    maps = np.array(front.predict_on_batch(images))
    weights = true_derivatives(head, maps, classes).sum(axis=(1, 2))
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
