"""What is left of an epoch that was stopped in the middle."""

from typing import Any

import keras


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
