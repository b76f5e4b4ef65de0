import pytest
from keras import layers

from pyimagesearch.nn.conv import CifarNet


def test_the_layers_are_those_of_the_chapter():
    model = CifarNet.build(32, 32, 3, 10)
    first, second, norm, pool, thin, _, dense, half, last = model.layers
    assert [(conv.filters, conv.kernel_size, conv.padding) for conv in (first, second)] == [
        (16, (3, 3), "valid"),
        (32, (3, 3), "same"),
    ]
    assert isinstance(norm, layers.BatchNormalization)
    assert isinstance(pool, layers.MaxPooling2D)
    assert pool.output.shape == (None, 15, 15, 32)
    assert (thin.rate, half.rate) == (0.2, 0.5)
    assert (dense.units, last.units) == (128, 10)
    activations = [layer.activation.__name__ for layer in (first, second, dense, last)]
    assert activations == ["relu", "relu", "relu", "softmax"]


@pytest.mark.parametrize(("options", "reg"), [({}, 0.0001), ({"reg": 0.5}, 0.5)])
def test_only_the_second_convolution_is_penalised(options, reg):
    model = CifarNet.build(8, 8, 3, 2, **options)
    penalties = [layer.kernel_regularizer for layer in model.layers if hasattr(layer, "kernel_regularizer")]
    assert [penalty is not None for penalty in penalties] == [False, True, False, False]
    assert penalties[1].l2 == pytest.approx(reg)


@pytest.mark.parametrize(("options", "momentum"), [({}, 0.9), ({"momentum": 0.99}, 0.99)])
def test_the_batch_normalisation_adapts_as_fast_as_asked(options, momentum):
    norm = CifarNet.build(8, 8, 3, 2, **options).layers[2]
    assert norm.momentum == momentum
