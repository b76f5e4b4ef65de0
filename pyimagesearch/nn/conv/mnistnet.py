"""The small convolutional network of Keras's MNIST example, for Keras 3."""

import keras
from keras import layers

from pyimagesearch.nn.layers import input_layers


class MnistNet:
    """Two convolutions of 32 and 64 filters, one pooling, and a dense layer of 128 units.

    Dropout of 0.25 follows the pooling, of 0.5 the dense layer. The tutorials on MNIST train it with
    Adadelta at a learning rate of 1, the default of its time; Keras 3's is 0.001.
    """

    @staticmethod
    def build(width: int, height: int, depth: int, classes: int, *, scale: float | None = None) -> keras.Sequential:
        """Return the untrained network; 28x28x1 with 10 classes has 1,199,882 parameters.

        Args:
            width, height: size of the input in pixels, at least 6.
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
                *input_layers("MnistNet", width, height, depth, classes, scale, smallest=6),
                layers.Conv2D(32, 3, activation="relu"),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Dropout(0.25),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dropout(0.5),
                layers.Dense(classes, activation="softmax"),
            ],
            name="mnistnet",
        )
