"""The multilayer perceptron, for Keras 3."""

from collections.abc import Sequence

import keras
from keras import layers

from pyimagesearch.errors import UserError
from pyimagesearch.nn.layers import input_layers


class MultilayerPerceptron:
    """Hidden layers of rectified units between the pixels and the classes.

    The tutorial on MNIST has two of 784 units each, as many as its images have pixels.
    """

    @staticmethod
    def build(
        width: int,
        height: int,
        depth: int,
        classes: int,
        hidden: Sequence[int] = (784, 784),
        *,
        scale: float | None = None,
    ) -> keras.Sequential:
        """Return the untrained network; 28x28x1 with 10 classes has 1,238,730 parameters.

        Args:
            width, height: size of the input in pixels.
            depth: channels of the input.
            classes: number of classes, at least 2.
            hidden: units of each hidden layer.
            scale: factor by which a first layer multiplies the input: 1/255 for 8-bit pixels, which may
                then be uint8.

        Returns:
            A model from images of shape (n, height, width, depth), or channels first where Keras is
            set so, to probabilities of shape (n, classes).

        Raises:
            UserError: an argument breaks its rule.
        """
        if not hidden or min(hidden) < 1:
            raise UserError(
                f"hidden: must name the units of at least one layer, each at least 1; received {tuple(hidden)}; "
                "without hidden layers it is a SoftmaxRegression"
            )
        return keras.Sequential(
            [
                *input_layers("MultilayerPerceptron", width, height, depth, classes, scale),
                layers.Flatten(),
                *[layers.Dense(units, activation="relu") for units in hidden],
                layers.Dense(classes, activation="softmax"),
            ],
            name="multilayer_perceptron",
        )
