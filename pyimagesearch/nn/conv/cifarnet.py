"""A small convolutional network for CIFAR-10 (Sarkar, Bali and Ghosh, Hands-On Transfer Learning, 2018, chapter 6)."""

import keras
from keras import layers
from keras.regularizers import L2

from pyimagesearch.nn.layers import input_layers


class CifarNet:
    """Two convolutions of 16 and 32 filters, batch normalisation, one pooling, and a dense layer of 128 units.

    Dropout of 0.2 follows the pooling, of 0.5 the dense layer; only the second convolution has an L2
    penalty. The chapter trains it from scratch to compare with transfer learning.
    """

    @staticmethod
    def build(
        width: int,
        height: int,
        depth: int,
        classes: int,
        reg: float = 0.0001,
        *,
        momentum: float = 0.9,
        scale: float | None = None,
    ) -> keras.Sequential:
        """Return the untrained network; 32x32x3 with 10 classes has 928,234 parameters.

        Args:
            width, height: size of the input in pixels, at least 4.
            depth: channels of the input.
            classes: number of classes, at least 2.
            reg: factor of the L2 penalty, which the chapter does not print.
            momentum: of the batch normalisation's running means; Keras's default of 0.99 leaves the
                validation accuracy at chance for the first hundreds of steps.
            scale: factor by which a first layer multiplies the input: 1/255 for 8-bit pixels, which may
                then be uint8.

        Returns:
            A model from images of shape (n, height, width, depth), or channels first where Keras is
            set so, to probabilities of shape (n, classes).

        Raises:
            UserError: an argument breaks its rule.
        """
        channels = 1 if keras.config.image_data_format() == "channels_first" else -1
        return keras.Sequential(
            [
                *input_layers("CifarNet", width, height, depth, classes, scale, smallest=4),
                layers.Conv2D(16, 3, activation="relu"),
                layers.Conv2D(32, 3, padding="same", kernel_regularizer=L2(reg), activation="relu"),
                layers.BatchNormalization(axis=channels, momentum=momentum),
                layers.MaxPooling2D(2),
                layers.Dropout(0.2),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dropout(0.5),
                layers.Dense(classes, activation="softmax"),
            ],
            name="cifarnet",
        )
