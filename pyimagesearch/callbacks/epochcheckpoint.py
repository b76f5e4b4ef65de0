"""Saves the model every few epochs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.io.atomic import replacing
from pyimagesearch.utils.booknames import accepts_book_names


class EpochCheckpoint(keras.callbacks.Callback):
    """Save the model every ``every`` epochs as ``<output_path>/epoch_<n>.keras``.

    If ``output_path`` ends in ``.keras``, that one file is replaced each time instead: the latest
    state, from which training can go on. A file is replaced only when the new one is whole.

    Args:
        output_path: a folder, which is made if need be, or a file's name.
        every: epochs between two files.
        start_at: epochs that the model was trained for before this run.
        save: called as ``save(model, path, epochs_done)``; ``model.save(path)`` by default.

    Raises:
        UserError: ``every`` is not positive.
    """

    @accepts_book_names
    def __init__(
        self,
        output_path: str | os.PathLike[str],
        every: int = 5,
        start_at: int = 0,
        *,
        save: Callable[[Any, Path, int], None] | None = None,
    ) -> None:
        super().__init__()
        if every < 1:
            raise UserError(f"every: must be at least 1; received {every}")
        self.output_path, self.every = Path(output_path), every
        self.epochs_done = start_at
        self._save = save or _save

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Count the epoch, and save the model if it is its turn."""
        self.epochs_done += 1
        if self.epochs_done % self.every == 0:
            one_file = self.output_path.suffix == ".keras"
            name = f"epoch_{self.epochs_done}.keras"
            path = self.output_path if one_file else self.output_path / name
            self._save(self.model, path, self.epochs_done)


def _save(model: Any, path: Path, epochs_done: int) -> None:
    with replacing(path) as temporary:
        model.save(temporary)
