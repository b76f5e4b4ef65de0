"""Save model, optimizer and position, so that an interrupted training resumes with the very next batch."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pyimagesearch.callbacks.monitored import plain
from pyimagesearch.errors import UserError
from pyimagesearch.nn.modelfile import Position

_MOMENT = 0.25  # seconds


class TrainingCheckpoint(keras.callbacks.Callback):
    """Save the state of training every few batches or minutes, and after every epoch.

    Where saving takes longer than a moment, it gets at most a tenth of the time: short epochs are then saved only now
    and then, and the last one always.

    One file is replaced each time, only once the new one is complete. Put this callback before those that
    record results: in the epoch in the middle of which a run resumes, it completes the running means of
    the metrics by those of the earlier batches. An epoch is saved as done only after all callbacks
    recorded it, so that a run resumed from there finds its results.

    Args:
        output_path: the ``.keras`` file.
        save: called as ``save(model, path, position)``.
        rows: rows of an epoch, and ``batch_size`` rows of a batch.
        every_batches: batches between two files, or None.
        every_minutes: minutes between two files, or None.
        start: the position to resume from.

    Raises:
        UserError: an interval is not positive.
    """

    def __init__(
        self,
        output_path: str | os.PathLike[str],
        save: Callable[[Any, Path, Position], None],
        *,
        rows: int,
        batch_size: int,
        every_batches: int | None = None,
        every_minutes: float | None = 10,
        start: Position | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("every_batches", every_batches), ("every_minutes", every_minutes)):
            if value is not None and value <= 0:
                raise UserError(f"{name}: must be above 0, or None; received {value}")
        self.output_path, self._save = Path(output_path), save
        self._rows, self._batch_size = rows, batch_size
        self._every_batches, self._every_minutes = every_batches, every_minutes
        self._start = start or Position()
        self._position = self._start
        self._ended: Position | None = None
        self._saved_at, self._took = time.monotonic(), 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the previous epoch, if it is time, and note where this one begins."""
        if self._took < _MOMENT or time.monotonic() - self._saved_at > 9 * self._took:
            self._save_ended()
        resumed = epoch == self._start.epoch
        self._position = self._start if resumed else Position(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if an interval is over, unless the epoch is at its end, which saves in any case."""
        epoch, done = self._position.epoch, self._position.batch + 1
        self._position = self._position._replace(batch=done)
        due = self._every_batches is not None and done % self._every_batches == 0
        minutes = (time.monotonic() - self._saved_at) / 60
        late = self._every_minutes is not None and minutes >= self._every_minutes
        if (due or late) and done * self._batch_size < self._rows:
            means = self._complete(dict(logs or {}), done * self._batch_size)
            self._write(Position(epoch, done, {name: plain(mean) for name, mean in means.items()}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Complete the epoch's means in place."""
        if logs is not None:
            logs.update(self._complete(logs, self._rows))
        self._ended = Position(epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Save the last epoch."""
        self._save_ended()

    def _save_ended(self) -> None:
        if self._ended is not None:
            self._write(self._ended)
            self._ended = None

    def _complete(self, logs: dict[str, Any], rows: int) -> dict[str, Any]:
        """Return means over all ``rows`` of the epoch so far; ``logs`` lack the rows before the start.

        Vectors stay arrays, as Keras's progress bar needs them.
        """
        resumed = self._position.epoch == self._start.epoch and self._start.batch
        earlier = self._start.means if resumed else {}
        before = self._start.batch * self._batch_size
        results = {name: np.asarray(value, float) for name, value in logs.items()}
        for name in earlier.keys() & results.keys():
            results[name] = (np.asarray(earlier[name]) * before + results[name] * (rows - before)) / rows
        return {name: value if np.ndim(value) else float(value) for name, value in results.items()}

    def _write(self, position: Position) -> None:
        began = time.monotonic()
        self._save(self.model, self.output_path, position)
        self._saved_at = time.monotonic()
        self._took = self._saved_at - began
