"""Training that can start in the middle of an epoch, and the learning rate along its way."""

from collections.abc import Sequence
from typing import Any

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.nn.modelfile import Position


def learning_rate(rate: float, decay: str | None, steps: int, warm_up_steps: int = 0) -> Any:
    """Return an optimizer's learning rate: a number, or a schedule of Keras.

    Args:
        rate: the highest learning rate.
        decay: "linear" or "cosine": to 0 after ``steps`` batches; None: constant.
        steps: batches of the whole training.
        warm_up_steps: batches in which the rate first rises from 0, with "cosine" only.

    Raises:
        UserError: ``decay`` is something else, or the warm-up does not fit.
    """
    if decay not in ("linear", "cosine", None, "none"):
        raise UserError(f'learning_rate_decay: must be "linear", "cosine" or None; received {decay!r}')
    if warm_up_steps and decay != "cosine":
        raise UserError(
            f'warm_up_epochs: needs learning_rate_decay="cosine", whose schedule has one; received {decay!r}'
        )
    if warm_up_steps >= steps:
        raise UserError("warm_up_epochs: must be below the epochs in all; warm up for less, or train longer")
    schedules = keras.optimizers.schedules
    if decay == "linear":
        return schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)
    if decay == "cosine" and warm_up_steps:
        return schedules.CosineDecay(0.0, steps - warm_up_steps, warmup_target=rate, warmup_steps=warm_up_steps)
    return schedules.CosineDecay(rate, steps) if decay == "cosine" else rate


def fit_from(
    model: keras.Model,
    train: Any,
    validation: Any,
    epochs: int,
    start: Position,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int | str,
) -> None:
    """Train from ``start`` to the end of the last epoch, on exactly the remaining batches.

    The generator's epoch follows Keras's, which under TensorFlow's strategies begins an extra epoch to see a batch.

    Args:
        train: an `HDF5DatasetGenerator`; its epoch is set to that of ``start``.
        validation: the same for validation.
        epochs: epochs in all, including those before ``start``.
        verbose: as in ``fit``.

    Raises:
        UserError: ``start`` is past the last batch of an epoch.
    """
    if start.batch >= len(train):
        raise UserError(
            f"resume: must continue within the {len(train)} batches of an epoch, which are fewer if more devices share "
            f"them; received a checkpoint at batch {start.batch}; take as many devices as before"
        )
    train.epoch = start.epoch
    follow = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: setattr(train, "epoch", epoch))
    runs = [(train, start.epoch, epochs)]
    if start.batch:
        runs = [(EpochTail(train, start.batch), start.epoch, start.epoch + 1), (train, start.epoch + 1, epochs)]
    for batches, first, last in runs:
        if first < last:
            model.fit(
                batches, validation_data=validation, initial_epoch=first, epochs=last,
                shuffle=False, callbacks=[follow, *callbacks], verbose=verbose,
            )  # fmt: skip
        if model.stop_training:
            return


class EpochTail(keras.utils.PyDataset):
    """The remaining batches of a generator's epoch.

    Args:
        generator: an `HDF5DatasetGenerator`.
        first: index of the first remaining batch.
    """

    def __init__(self, generator: Any, first: int) -> None:
        super().__init__(workers=1)
        self._generator, self._first = generator, first

    def __len__(self) -> int:
        """Number of remaining batches."""
        return len(self._generator) - self._first

    def __getitem__(self, index: int) -> Any:
        """Return a batch, counted from the first remaining one."""
        return self._generator[self._first + index]

    def on_epoch_begin(self) -> None:
        """Advance the generator's epoch."""
        self._generator.on_epoch_begin()
