"""Training in two stages: first the new head alone, then it and the last part of the backbone."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from pyimagesearch.nn.modelfile import Position
from pyimagesearch.nn.transfer import backbone_layers, freeze_layers, frozen_layers
from pyimagesearch.training.fit import fit_from


class Stage(NamedTuple):
    """Some epochs with the same layers frozen.

    Attributes:
        first, last: the epoch that it begins with, and the one behind its end, both from 0.
        rate: learning rate of Adam.
        frozen: how many layers of the backbone stay as they are.
    """

    first: int
    last: int
    rate: float
    frozen: int

    def in_words(self, model: keras.Model) -> str:
        """Return what it does to ``model``."""
        layers = len(backbone_layers(model))
        last = f" and the last {layers - self.frozen} of {layers} layers" if self.frozen < layers else " alone"
        return f"epochs {self.first + 1} to {self.last} train the head{last}, at a rate of {self.rate:g}"


def plan_stages(
    model: keras.Model, freeze: str, warm_up: int, epochs: int, learning_rate: float, fine_tune_rate: float
) -> list[Stage]:
    """Return the stages of a training; there is only one where the whole backbone stays frozen, or without warm-up.

    Args:
        model: what `TransferNetwork.build` made.
        freeze: what stays frozen after the warm-up, as `frozen_layers` takes it.
        warm_up: epochs with the whole backbone frozen.
        epochs: epochs after that.
        learning_rate: of all epochs with the whole backbone frozen.
        fine_tune_rate: of the others.

    Raises:
        UserError: there is no such layer to freeze.
    """
    everything, frozen = len(backbone_layers(model)), frozen_layers(model, freeze)
    if frozen == everything:
        return [Stage(0, warm_up + epochs, learning_rate, everything)]
    stages = [
        Stage(0, warm_up, learning_rate, everything),
        Stage(warm_up, warm_up + epochs, fine_tune_rate, frozen),
    ]
    return [stage for stage in stages if stage.first < stage.last]


def fit_stages(
    model: keras.Model,
    stages: Sequence[Stage],
    train: Any,
    validation: Any,
    start: Position,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Train from ``start`` to the end of the last stage; each stage begins with a new Adam.

    Args:
        train: an `HDF5DatasetGenerator` with one-hot labels.
        validation: the same for validation, or None.
        start: a position that `save_model` stored, if ``model`` comes from there.
        verbose: as of ``fit``.
    """
    for stage in stages:
        if start.epoch >= stage.last:
            continue
        if (start.epoch, start.batch) == (stage.first, 0):
            freeze_layers(model, stage.frozen)
            optimizer = keras.optimizers.Adam(stage.rate)
            model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        fit_from(model, train, validation, stage.last, start, callbacks, verbose)
        start = Position(stage.last)
