"""Training in two stages: first the new head alone, then the upper layers of the backbone as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from pyimagesearch.nn.modelfile import Position
from pyimagesearch.nn.transfer import backbone_layers, freeze_layers, frozen_layers
from pyimagesearch.training.fit import fit_from


@dataclass(frozen=True)
class Stage:
    """Consecutive epochs with the same layers frozen.

    Attributes:
        first, last: the first epoch, and the one past the last, both from 0.
        rate: learning rate of Adam.
        frozen: number of frozen layers of the backbone.
    """

    first: int
    last: int
    rate: float
    frozen: int

    def in_words(self, model: keras.Model) -> str:
        """Describe what it trains of ``model``."""
        layers = len(backbone_layers(model))
        upper = f" and the last {layers - self.frozen} of {layers} layers" if self.frozen < layers else " alone"
        return f"epochs {self.first + 1} to {self.last} train the head{upper}, at a rate of {self.rate:g}"


def plan_stages(
    model: keras.Model, freeze: str, warm_up: int, epochs: int, learning_rate: float, fine_tune_rate: float
) -> list[Stage]:
    """Return the stages of a training: one if the whole backbone stays frozen or there is no warm-up, otherwise two.

    Args:
        model: a network of `TransferNetwork.build`.
        freeze: what stays frozen after the warm-up, as `frozen_layers` takes it.
        warm_up: epochs with the whole backbone frozen.
        epochs: epochs after the warm-up.
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
    verbose: int | str,
) -> None:
    """Train from ``start`` to the end of the last stage; each stage begins with a new Adam.

    Args:
        train: an `HDF5DatasetGenerator` with one-hot labels.
        validation: the same for validation, or None.
        start: the position stored with ``model``, if it is from a file of `save_model`.
        verbose: as in ``fit``.
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
