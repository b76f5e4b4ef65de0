"""Puts a network of two layers in AlexNet's place, for tests in which it is trained hundreds of times.

It has what makes a training hard to resume: running means, and dropout with a random state.
"""

import keras
from keras import layers

from pyimagesearch.nn.conv import AlexNet


def build(width: int, height: int, depth: int, classes: int, *_args, **_options) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((height, width, depth)),
            layers.Conv2D(4, 5, strides=4, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(classes, "softmax"),
        ],
        name="alexnet",
    )


AlexNet.build = staticmethod(build)
