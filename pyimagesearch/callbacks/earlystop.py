"""Stop a training that no longer improves."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from pyimagesearch.errors import UserError


class EarlyStop(keras.callbacks.Callback):
    """Stop when the validation loss of ``patience`` consecutive epochs was not below the lowest before.

    Epochs without validation do not count. It looks at the results of all epochs, so that a resumed run stops where an
    uninterrupted one does. Put it after the `TrainingMonitor`, which adds them.

    Args:
        history: for each metric a list with one value an epoch, as `TrainingMonitor` keeps them.
        patience: epochs to wait, at least 1.
        first: the first epoch that counts, from 0.

    Raises:
        UserError: ``patience`` is not positive.
    """

    def __init__(self, history: Mapping[str, Sequence[Any]], patience: int, first: int = 0) -> None:
        super().__init__()
        if patience < 1:
            raise UserError(f"patience: must be at least 1; received {patience}")
        self._history, self.patience, self.first = history, patience, first

    @property
    def reached(self) -> bool:
        """True if the training should end."""
        known = [loss for loss in self._history.get("val_loss", [])[self.first :] if loss is not None]
        losses = np.array(known, float)
        if not len(losses):
            return False
        best = int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
        return len(losses) - 1 - best >= self.patience

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop if the patience is exhausted."""
        if self.reached:
            self.model.stop_training = True
