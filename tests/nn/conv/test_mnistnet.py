from keras import layers

from pyimagesearch.nn.conv import MnistNet


def test_the_layers_are_those_of_the_tutorial():
    model = MnistNet.build(28, 28, 1, 10)
    first, second, pool, thin, _, dense, half, last = model.layers
    assert [(conv.filters, conv.kernel_size, conv.padding) for conv in (first, second)] == [
        (32, (3, 3), "valid"),
        (64, (3, 3), "valid"),
    ]
    assert isinstance(pool, layers.MaxPooling2D)
    assert pool.output.shape == (None, 12, 12, 64)
    assert (thin.rate, half.rate) == (0.25, 0.5)
    assert (dense.units, last.units) == (128, 10)
    activations = [layer.activation.__name__ for layer in (first, second, dense, last)]
    assert activations == ["relu", "relu", "relu", "softmax"]
