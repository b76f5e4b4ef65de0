"""Training that can start in the middle of an epoch."""

from collections.abc import Sequence
from typing import Any

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.nn.modelfile import Position


def learning_rate(rate: float, decay: str, steps: int) -> Any:
    """Return a learning rate for an optimizer: ``rate``, or a line from it to 0 after ``steps`` batches.

    Args:
        decay: "linear" or "none".

    Raises:
        UserError: ``decay`` is something else.
    """
    if decay not in ("linear", "none"):
        raise UserError(f'LEARNING_RATE_DECAY: must be "linear" or "none"; received {decay!r}')
    if decay == "none":
        return rate
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)


def fit_from(
    model: keras.Model,
    train: Any,
    validation: Any,
    epochs: int,
    start: Position,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Train from ``start`` to the end of the last epoch, on just the batches that are left.

    The generator's epoch follows that of Keras, which under TensorFlow's strategies begins an epoch for a look at it.

    Args:
        train: an `HDF5DatasetGenerator`, whose epoch is set to that of ``start``.
        validation: the same for validation.
        epochs: epochs in all, those before ``start`` included.
        verbose: as of ``fit``.

    Raises:
        UserError: ``start`` is behind the last batch of an epoch.
    """
    if start.batch >= len(train):
        raise UserError(
            f"--resume: must go on within the {len(train)} batches of an epoch, which are fewer if more devices share "
            f"them; received a checkpoint at batch {start.batch}; take as many devices as before"
        )
    train.epoch = start.epoch
    follow = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: setattr(train, "epoch", epoch))
    parts = [(train, start.epoch, epochs)]
    if start.batch:
        parts = [(EpochTail(train, start.batch), start.epoch, start.epoch + 1), (train, start.epoch + 1, epochs)]
    for batches, first, last in parts:
        if first < last:
            model.fit(
                batches, validation_data=validation, initial_epoch=first, epochs=last,
                shuffle=False, callbacks=[follow, *callbacks], verbose=verbose,
            )  # fmt: skip
        if model.stop_training:
            return


class EpochTail(keras.utils.PyDataset):
    """The batches of a generator's epoch from one on.

    Args:
        generator: an `HDF5DatasetGenerator`.
        first: number of the first batch that is left.
    """

    def __init__(self, generator: Any, first: int) -> None:
        super().__init__(workers=1)
        self._generator, self._first = generator, first

    def __len__(self) -> int:
        """Batches that are left."""
        return len(self._generator) - self._first

    def __getitem__(self, index: int) -> Any:
        """Return a batch, counted from the first that is left."""
        return self._generator[self._first + index]

    def on_epoch_begin(self) -> None:
        """Advance the generator's epoch."""
        self._generator.on_epoch_begin()
