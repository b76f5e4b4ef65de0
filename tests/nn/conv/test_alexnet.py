import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.preprocessing import MeanPreprocessor


@pytest.fixture
def channels_first():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


def kernels(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]


def test_the_chapter_s_network_has_its_58_million_parameters():
    model = AlexNet.build(227, 227, 3, 2)
    assert model.count_params() == 58_327_810
    assert model.input_shape == (None, 227, 227, 3)
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize("classes", [2, 17])
def test_the_outputs_are_probabilities(classes, rng):
    model = AlexNet.build(64, 57, 3, classes)
    assert model.input_shape == (None, 57, 64, 3)
    probabilities = model.predict_on_batch(rng.normal(size=(2, 57, 64, 3)).astype(np.float32))
    assert probabilities.shape == (2, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities > 0).all()


def test_the_input_may_have_one_channel():
    assert AlexNet.build(57, 57, 1, 2).input_shape == (None, 57, 57, 1)


def test_channels_come_first_where_keras_is_set_so(channels_first):
    model = AlexNet.build(64, 57, 3, 2)
    assert model.input_shape == (None, 3, 57, 64)
    assert model.count_params() == AlexNet.build(64, 57, 3, 2).count_params()
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert norms[0].gamma.shape == (96,)


@pytest.mark.parametrize("reg", [0.0002, 0.5])
def test_every_kernel_has_the_penalty_asked_for(reg):
    layers = kernels(AlexNet.build(57, 57, 3, 2, reg))
    assert len(layers) == 8
    assert all(layer.kernel_regularizer.l2 == pytest.approx(reg) for layer in layers)


@pytest.mark.parametrize(("options", "momentum"), [({}, 0.9), ({"momentum": 0.99}, 0.99)])
def test_the_batch_normalisation_adapts_as_fast_as_asked(options, momentum):
    layers = AlexNet.build(57, 57, 3, 2, **options).layers
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 7
    assert all(layer.momentum == momentum for layer in norms)


@pytest.mark.parametrize(("options", "dense"), [({}, 0.5), ({"dropout": 0.3}, 0.3)])
def test_the_dropout_of_dense_layers_can_be_chosen(options, dense):
    layers = AlexNet.build(57, 57, 3, 2, **options).layers
    rates = [layer.rate for layer in layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.25, 0.25, 0.25, dense, dense]


def test_a_first_layer_may_subtract_the_means(rng):
    means = {"R": 120.5, "G": 110.0, "B": 99.25}
    model = AlexNet.build(57, 57, 3, 2, means=means)
    pixels = rng.integers(0, 256, (2, 57, 57, 3), np.uint8)
    result = keras.ops.convert_to_numpy(model.layers[0](pixels))
    np.testing.assert_allclose(result, MeanPreprocessor(120.5, 110.0, 99.25).preprocess(pixels), atol=1e-4)


def test_it_learns(rng):
    keras.utils.set_random_seed(0)
    model = AlexNet.build(57, 57, 3, 2)
    model.compile(keras.optimizers.Adam(1e-4), "binary_crossentropy", metrics=["accuracy"])
    labels = np.arange(8) % 2
    images = (rng.normal(size=(8, 57, 57, 3)) + 2 * labels[:, None, None, None]).astype(np.float32)
    losses = [model.train_on_batch(images, np.eye(2)[labels])[0] for _ in range(4)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("width", "height"), [(56, 227), (227, 56), (1, 1)])
def test_an_input_too_small_for_the_poolings_is_refused(width, height):
    with pytest.raises(UserError, match=f"width, height: .* at least 57 pixels; received {width}x{height}"):
        AlexNet.build(width, height, 3, 2)


@pytest.mark.parametrize("classes", [1, 0])
def test_one_class_is_too_few(classes):
    with pytest.raises(UserError, match=f"classes: must be at least 2; received {classes}"):
        AlexNet.build(227, 227, 3, classes)
