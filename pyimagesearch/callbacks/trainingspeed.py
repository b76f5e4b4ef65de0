"""Measure how fast a model is trained, and how long it waits for batches."""

import json
import os
import time
from pathlib import Path
from typing import Any

import keras

from pyimagesearch.nn.modelfile import Position
from pyimagesearch.utils.atomic import write_json

FIGURES = ("seconds", "images_per_second", "waiting")


class TrainingSpeed(keras.callbacks.Callback):
    """Keep the speed of every epoch in a JSON file, apart from the curves, which are the same in every run.

    Put it after the `TrainingMonitor`, whose numbers would differ between runs otherwise, and before callbacks that
    show the figures as well, such as TensorBoard's. Of the epoch in the middle of which a run resumes, only the rest
    is measured.

    Args:
        json_path: the file: a list for each figure, one value an epoch.
        train: the `HDF5DatasetGenerator` that the model is trained on.
        start: the position to resume from; earlier figures in ``json_path`` are kept.
        writes: whether to write the file; of hosts that train together only one does.

    Attributes:
        history: "seconds" of the epoch with its validation, without the files written after it;
            "images_per_second" of training alone; "waiting": share of the training time, 0 to 1, in which the
            next batch was not ready, an upper bound of the model's waiting (see `BatchLoader`). None stands for
            an epoch of an earlier run that left no figures.
    """

    def __init__(
        self,
        json_path: str | os.PathLike[str],
        train: Any,
        start: Position | None = None,
        *,
        writes: bool = True,
    ) -> None:
        super().__init__()
        self._writes = writes
        self.json_path, self._train, self._start = Path(json_path), train, start or Position()
        self.history: dict[str, list[float | None]] = _load(self.json_path, self._start.epoch)
        self._first = self._batches = 0
        self._began = self._trained = self._ended = self._waited_before = self._waited = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._first, self._batches = self._start.batch if epoch == self._start.epoch else 0, 0
        self._waited_before = self._waited = self._train.loader.waited
        self._began = self._trained = self._ended = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Note the time, in case this is the last batch."""
        self._batches = batch + 1
        self._trained = self._ended = time.perf_counter()
        self._waited = self._train.loader.waited

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Note the end of the validation."""
        self._ended = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add the epoch's figures to the file, and those that Keras lacks to ``logs``."""
        seconds = max(self._trained - self._began, 1e-9)
        before = self._first * self._train.batch_size
        images = min((self._first + self._batches) * self._train.batch_size, self._train.num_images) - before
        waiting = min((self._waited - self._waited_before) / seconds, 1.0)
        figures = dict(zip(FIGURES, (self._ended - self._began, images / seconds, waiting), strict=True))
        for name, value in figures.items():
            self.history[name].append(value)
        if logs is not None:
            logs.update({name: figures[name] for name in FIGURES[1:]})  # Keras prints the seconds itself
        if self._writes:
            write_json(self.json_path, self.history)


def _load(path: Path, epochs: int) -> dict[str, list[float | None]]:
    """Return the figures of the first ``epochs``; missing or unreadable ones are None, and stop no training."""
    try:
        known = json.loads(path.read_text("utf-8")) if epochs else {}
        lists = {name: list(known.get(name, [])) for name in FIGURES}
    except (OSError, ValueError, TypeError, AttributeError):
        lists = {name: [] for name in FIGURES}
    return {name: (values + [None] * epochs)[:epochs] for name, values in lists.items()}
