"""Dropout that goes on after a stop as if there had been none."""

import random

import keras


def seeded_dropout(rate: float, name: str | None = None) -> keras.layers.Dropout:
    """Return a dropout layer with a random state of its own, on every backend, which `save_model` stores.

    Without a seed, PyTorch draws from its global generator, which no file holds. The seed comes from
    Python's generator, as those of Keras do: `keras.utils.set_random_seed` makes it repeat.

    Args:
        rate: share of the inputs that are left out, in [0, 1).
        name: of the layer.
    """
    return keras.layers.Dropout(rate, seed=random.randrange(2**31), name=name)
