"""Keep the model of the best epoch by validation."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from pyimagesearch.nn.modelfile import Position


class BestModel(keras.callbacks.Callback):
    """Save the model whenever an epoch has a higher validation accuracy than all before.

    Of equal accuracies, the one with the lower validation loss is better.

    Args:
        output_path: the file, replaced only once the new one is complete.
        save: called as ``save(model, path, position)``.
        history: results of earlier epochs of a resumed run, as `TrainingMonitor` keeps them.
    """

    def __init__(
        self,
        output_path: str | os.PathLike[str],
        save: Callable[[Any, Path, Position], None],
        history: dict[str, list[float]] | None = None,
    ) -> None:
        super().__init__()
        self.output_path, self._save = Path(output_path), save
        earlier = history or {}
        scores = zip(earlier.get("val_accuracy", []), earlier.get("val_loss", []), strict=True)
        ranked = [(accuracy, -loss, -epoch) for epoch, (accuracy, loss) in enumerate(scores, 1)]
        self._best = max(ranked, default=(-1.0, 0.0, 0))

    @property
    def epoch(self) -> int:
        """The best epoch so far, counted from 1; 0 before the first."""
        return -self._best[2]

    @property
    def accuracy(self) -> float:
        """Validation accuracy of the best epoch, in [0, 1]."""
        return self._best[0]

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the model if this epoch is the best so far."""
        results = logs or {}
        score = float(results["val_accuracy"]), -float(results["val_loss"]), -(epoch + 1)
        if score > self._best:
            self._best = score
            self._save(self.model, self.output_path, Position(epoch + 1))
