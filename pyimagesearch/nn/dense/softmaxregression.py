"""Softmax regression (multinomial logistic regression) as a network of one layer, for Keras 3."""

import keras
from keras import layers

from pyimagesearch.nn.layers import input_layers


class SoftmaxRegression:
    """A weight for every pixel and class: what the tutorials on MNIST begin with."""

    @staticmethod
    def build(width: int, height: int, depth: int, classes: int, *, scale: float | None = None) -> keras.Sequential:
        """Return the untrained network; 28x28x1 with 10 classes has 7,850 parameters.

        Args:
            width, height: size of the input in pixels.
            depth: channels of the input.
            classes: number of classes, at least 2.
            scale: factor by which a first layer multiplies the input: 1/255 for 8-bit pixels, which may
                then be uint8.

        Returns:
            A model from images of shape (n, height, width, depth), or channels first where Keras is
            set so, to probabilities of shape (n, classes).

        Raises:
            UserError: an argument breaks its rule.
        """
        return keras.Sequential(
            [
                *input_layers("SoftmaxRegression", width, height, depth, classes, scale),
                layers.Flatten(),
                layers.Dense(classes, activation="softmax"),
            ],
            name="softmax_regression",
        )
