"""Save the model every few epochs."""

import os
from pathlib import Path

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import replacing
from pyimagesearch.utils.booknames import accepts_book_names


class EpochCheckpoint(keras.callbacks.Callback):
    """Save the model every ``every`` epochs as ``<output_path>/epoch_<n>.keras``.

    Args:
        output_path: the folder, created if missing.
        every: epochs between two files.
        start_at: epochs done before this run.

    Raises:
        UserError: ``every`` is not positive.
    """

    @accepts_book_names
    def __init__(self, output_path: str | os.PathLike[str], every: int = 5, start_at: int = 0) -> None:
        super().__init__()
        if every < 1:
            raise UserError(f"every: must be at least 1; received {every}")
        self.output_path, self.every = Path(output_path), every
        self.epochs_done = start_at

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Count the epoch, and save the model after every ``every`` epochs."""
        self.epochs_done += 1
        if self.epochs_done % self.every == 0:
            with replacing(self.output_path / f"epoch_{self.epochs_done}.keras") as temporary:
                self.model.save(temporary)
