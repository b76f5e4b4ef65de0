"""Layers that several networks begin with or share."""

import random
from typing import Any

import keras

from pyimagesearch.errors import UserError


def input_layers(
    network: str, width: int, height: int, depth: int, classes: int, scale: float | None = None, smallest: int = 1
) -> list[Any]:
    """Return the input of a network of images, and a layer that scales it if asked for.

    Args:
        network: its name, for messages.
        width, height: size of the input in pixels, at least ``smallest``.
        depth: channels of the input, at least 1.
        classes: number of classes, at least 2.
        scale: factor by which a first layer multiplies the input, as 1/255 for 8-bit pixels.

    Returns:
        An input of shape (height, width, depth), or channels first where Keras is set so, and a
        ``Rescaling`` layer if ``scale`` is given.

    Raises:
        UserError: an argument breaks its rule.
    """
    if min(width, height) < smallest:
        raise UserError(
            f"width, height: {network} needs at least {smallest}x{smallest} pixels; received {width}x{height}"
        )
    if depth < 1:
        raise UserError(f"depth: must be at least 1, the channels of an image; received {depth}")
    if classes < 2:
        raise UserError(f"classes: must be at least 2; received {classes}")
    first = keras.config.image_data_format() == "channels_first"
    shape = (depth, height, width) if first else (height, width, depth)
    return [keras.Input(shape), *([] if scale is None else [keras.layers.Rescaling(scale)])]


def seeded_dropout(rate: float, name: str | None = None) -> keras.layers.Dropout:
    """Return a dropout layer with its own random state, on every backend, which `save_model` stores.

    Without a seed, PyTorch draws from its global generator, which no file stores. The seed comes from
    Python's generator, as Keras's seeds do, so `keras.utils.set_random_seed` makes it repeatable.

    Args:
        rate: share of the inputs that training leaves out, in [0, 1).
        name: of the layer.
    """
    return keras.layers.Dropout(rate, seed=random.randrange(2**31), name=name)
