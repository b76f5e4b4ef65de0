"""Keep the model of the best epoch by validation."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pyimagesearch.callbacks.monitored import check_monitored, check_recorded, lower_is_better
from pyimagesearch.nn.modelfile import Position


class BestModel(keras.callbacks.Callback):
    """Save the model whenever an epoch has a better validation metric than all before.

    Of equal ones, the one with the lower validation loss is better. Epochs without validation are passed over.

    Args:
        output_path: the file, replaced only once the new one is complete.
        save: called as ``save(model, path, position)``.
        history: results of earlier epochs of a resumed run, as `TrainingMonitor` keeps them.
        monitor: the metric, as ``fit`` names it: "val_accuracy", "val_acc", "val_f1_score", "val_loss"; of a vector
            the mean counts.
        mode: "max" if more of it is better, "min" if less is, "auto" to tell by its name.

    Raises:
        UserError: the mode is unknown; at the beginning of training, if the model is not compiled with the metric.
    """

    def __init__(
        self,
        output_path: str | os.PathLike[str],
        save: Callable[[Any, Path, Position], None],
        history: Mapping[str, Sequence[Any]] | None = None,
        *,
        monitor: str = "val_accuracy",
        mode: str = "auto",
    ) -> None:
        super().__init__()
        self.output_path, self._save, self.monitor = Path(output_path), save, monitor
        self._sign = -1.0 if lower_is_better(monitor, mode) else 1.0
        self._best, self._warned = (-np.inf, -np.inf, 0), False
        earlier = history or {}
        for epoch in range(len(earlier.get(monitor, ()))):
            results = {name: values[epoch] for name, values in earlier.items() if epoch < len(values)}
            self._best = max(self._best, self._score(epoch, results) or self._best)

    @property
    def epoch(self) -> int:
        """The best epoch so far, counted from 1; 0 before the first."""
        return -self._best[2]

    @property
    def value(self) -> float:
        """The metric in the best epoch; NaN before the first."""
        return self._sign * self._best[0] if self.epoch else float("nan")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Check that there is such a metric."""
        check_monitored(self.model, self.monitor)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the model if this epoch is the best so far."""
        results = logs or {}
        score = self._score(epoch, results)
        if score is None:
            check_recorded(self.monitor, results)
            if not self._warned and not self.epoch:
                logging.getLogger(__name__).warning(
                    f"epoch {epoch + 1} has no {self.monitor}, only {', '.join(results) or 'nothing'}: no model is "
                    "saved before there is one; pass validation_data to fit"
                )
                self._warned = True
        elif score > self._best:
            self._best = score
            self._save(self.model, self.output_path, Position(epoch + 1))

    def _score(self, epoch: int, results: Mapping[str, Any]) -> tuple[float, float, int] | None:
        """Return what is greater for a better epoch; None without validation."""
        if results.get(self.monitor) is None:
            return None
        loss = results.get("val_loss")
        value = self._sign * float(np.mean(results[self.monitor]))
        return value, 0.0 if loss is None else -float(np.mean(loss)), -(epoch + 1)
