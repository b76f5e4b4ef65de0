"""AlexNet (Krizhevsky, Sutskever and Hinton, 2012), with batch normalisation, for Keras 3."""

from collections.abc import Mapping

import keras
from keras import layers
from keras.regularizers import L2

from pyimagesearch.errors import UserError
from pyimagesearch.nn.layers import seeded_dropout

_SMALLEST = 57


def mean_subtraction(means: Mapping[str, float], axis: int = -1) -> keras.Layer:
    """Return a layer that subtracts means as `MeanPreprocessor` does.

    Args:
        means: mean of each colour, keyed "R", "G", "B", in [0, 255].
        axis: the axis of the channels, which are in the order BGR.
    """
    return layers.Normalization(axis=axis, mean=[means[color] for color in "BGR"], variance=[1.0] * 3)


class AlexNet:
    """The chapter's AlexNet: five convolutions, three of them pooled, and two dense layers.

    Where the paper has local response normalisation, there is batch normalisation, and every kernel
    has an L2 penalty.
    """

    @staticmethod
    def build(
        width: int,
        height: int,
        depth: int,
        classes: int,
        reg: float = 0.0002,
        *,
        momentum: float = 0.9,
        dropout: float = 0.5,
        means: Mapping[str, float] | None = None,
    ) -> keras.Sequential:
        """Return the untrained network; 227x227x3 with 2 classes has 58,327,810 parameters.

        Args:
            width, height: size of the input in pixels, at least 57.
            depth: channels of the input.
            classes: number of classes, at least 2.
            reg: factor of the L2 penalty.
            momentum: of the batch normalisation's running means. Keras's default of 0.99 leaves
                the validation accuracy at chance for the first hundreds of steps.
            dropout: share of the inputs of each dense layer after the first that training leaves out, in [0, 1).
            means: mean of each colour to subtract in a first layer, keyed "R", "G", "B", in [0, 255].
                The input is then BGR pixels, which may be uint8: a quarter of the bytes of float32.

        Returns:
            A model from images of shape (n, height, width, depth), or channels first where Keras is
            set so, to probabilities of shape (n, classes).

        Raises:
            UserError: the input is too small for the poolings, or there are fewer than 2 classes.
        """
        if min(width, height) < _SMALLEST:
            raise UserError(
                f"width, height: AlexNet's poolings need at least {_SMALLEST} pixels; received {width}x{height}"
            )
        if classes < 2:
            raise UserError(f"classes: must be at least 2; received {classes}")
        first = keras.config.image_data_format() == "channels_first"
        shape = (depth, height, width) if first else (height, width, depth)
        channels = 1 if first else -1

        def conv(filters: int, size: int, stride: int = 1) -> list[keras.Layer]:
            convolution = layers.Conv2D(filters, size, strides=stride, padding="same", kernel_regularizer=L2(reg))
            return [convolution, *relu_norm(channels)]

        def dense(units: int) -> list[keras.Layer]:
            return [layers.Dense(units, kernel_regularizer=L2(reg)), *relu_norm(-1)]

        def relu_norm(axis: int) -> list[keras.Layer]:
            return [
                layers.Activation("relu"),
                layers.BatchNormalization(axis=axis, momentum=momentum),
            ]

        def pool() -> list[keras.Layer]:
            return [layers.MaxPooling2D(pool_size=3, strides=2), seeded_dropout(0.25)]

        return keras.Sequential(
            [
                keras.Input(shape),
                *([] if means is None else [mean_subtraction(means, channels)]),
                *conv(96, 11, stride=4), *pool(),
                *conv(256, 5), *pool(),
                *conv(384, 3), *conv(384, 3), *conv(256, 3), *pool(),
                layers.Flatten(),
                *dense(4096), seeded_dropout(dropout),
                *dense(4096), seeded_dropout(dropout),
                layers.Dense(classes, kernel_regularizer=L2(reg)),
                layers.Activation("softmax", dtype="float32"),  # also under a mixed precision
            ],
            name="alexnet",
        )  # fmt: skip
