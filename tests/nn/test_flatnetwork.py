import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.nn.flatnetwork import FlatNetwork
from pyimagesearch.nn.transfer import TransferNetwork

layers = keras.layers
SIZE = 32


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(1)


def nested():
    """Return a functional network with a functional backbone and a Sequential head in it."""
    inner = keras.Input((SIZE, SIZE, 3))
    maps = layers.Conv2D(4, 3, name="stem")(inner)
    maps = layers.Add(name="block")([maps, layers.Conv2D(4, 3, padding="same", name="shortcut_skips_me")(maps)])
    backbone = keras.Model(inner, layers.ReLU(name="end")(layers.BatchNormalization()(maps)), name="backbone")
    head = keras.Sequential([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3, "softmax")])
    outer = keras.Input((SIZE, SIZE, 3))
    maps = backbone(layers.Rescaling(1 / 255)(outer), training=False)
    return keras.Model(outer, head(layers.GlobalAveragePooling2D()(maps)))


def sequential_of_networks():
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), nested().get_layer("backbone"), layers.Flatten(),
                             layers.Dense(2), layers.Activation("softmax")])  # fmt: skip


def residual():
    """Return a network whose last convolution has a shortcut around it, and squeezes channels behind."""
    first = keras.Input((SIZE, SIZE, 3))
    maps = layers.Conv2D(4, 3, padding="same", activation="relu")(first)
    maps = layers.Add(name="last_maps")([maps, layers.Conv2D(4, 3, padding="same")(maps)])
    maps = layers.BatchNormalization()(maps)
    maps = layers.Conv2D(6, 1)(layers.GlobalAveragePooling2D(keepdims=True)(maps))
    return keras.Model(first, layers.Softmax()(layers.Flatten()(maps)))


def alexnet():
    return AlexNet.build(64, 64, 3, 2)


def fine_tuned():
    return TransferNetwork("mobilenet", "none", 0.25, SIZE, head=(8,), dropout=0.4, batch_norm=True).build(3)


@pytest.mark.parametrize(
    ("build", "last", "maps"),
    [
        (nested, "end", (None, 30, 30, 4)),
        (sequential_of_networks, "end", (None, 30, 30, 4)),
        (residual, "last_maps", (None, SIZE, SIZE, 4)),
        (alexnet, "activation", (None, 3, 3, 256)),
        (fine_tuned, "conv_pw_11_relu", (None, 2, 2, 128)),
    ],
)
def test_the_parts_are_the_whole_before_its_softmax(build, last, maps, rng):
    model = build()
    images = rng.normal(100, 50, size=(3, *model.input_shape[1:])).astype(np.float32)
    probabilities = model.predict_on_batch(images)
    front, head = FlatNetwork(model).split_after_convolutions()
    assert front.output_shape == maps
    assert front.layers[-1].name.startswith(last)
    scores = head.predict_on_batch(front.predict_on_batch(images))
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), probabilities, atol=1e-6)
    np.testing.assert_array_equal(model.predict_on_batch(images), probabilities)


def test_a_sigmoid_is_left_out_and_a_linear_end_is_the_score(rng):
    first = keras.Input((4, 4, 1))
    maps = layers.Flatten()(layers.Conv2D(2, 2)(first))
    images = rng.normal(size=(3, 4, 4, 1)).astype(np.float32)
    for model, undo in (
        (keras.Model(first, layers.Dense(2, "sigmoid")(maps)), lambda p: np.log(p / (1 - p))),
        (keras.Model(first, layers.Dense(2)(maps)), lambda p: p),
    ):
        front, head = FlatNetwork(model).split_after_convolutions()
        scores = head.predict_on_batch(front.predict_on_batch(images))
        np.testing.assert_allclose(scores, undo(model.predict_on_batch(images)), atol=1e-4)


def test_a_saved_network_is_taken_apart_as_well(tmp_path, rng):
    model = nested()
    model.save(tmp_path / "model.keras")
    front, _ = FlatNetwork(keras.saving.load_model(tmp_path / "model.keras")).split_after_convolutions()
    assert front.layers[-1].name == "end"


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (Subclassed, "must be a Sequential or functional network that is built; received subclassed, a Subclassed"),
        (lambda: keras.Sequential([layers.Dense(2)]), "must be a Sequential or functional network that is built"),
        (lambda: keras.Model(*(2 * [[keras.Input((2,)), keras.Input((3,))]])), "must have one input and one output"),
        (lambda: keras.Sequential([keras.Input((2, 2, 3)), layers.Flatten(), layers.Dense(2)]), "must have a conv"),
    ],
)
def test_networks_that_cannot_be_split(build, message):
    with pytest.raises(UserError, match=f"model: {message}"):
        FlatNetwork(build()).split_after_convolutions()
