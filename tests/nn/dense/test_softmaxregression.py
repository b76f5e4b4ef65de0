import numpy as np

from pyimagesearch.nn.dense import SoftmaxRegression


def test_it_is_the_softmax_of_a_weighted_sum(rng):
    model = SoftmaxRegression.build(3, 2, 1, 4)
    images = rng.random((5, 2, 3, 1), np.float32)
    weights, biases = model.get_weights()
    biases = biases + np.arange(4, dtype=np.float32)
    model.set_weights([weights, biases])
    powers = np.exp(images.reshape(5, 6) @ weights + biases)
    np.testing.assert_allclose(model.predict_on_batch(images), powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)
