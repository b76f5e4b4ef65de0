"""How much of its time does ``fit`` spend waiting for data?

AlexNet trains from a shuffled, fully augmented generator. The iterator that Keras hands to its training
function is wrapped by one that times ``next``: all the time in which the model stood still because no
batch was ready. It works with any backend that KERAS_BACKEND names. On a machine without a GPU
preparing also takes processor time away from the model; the last line compares it with ``fit`` on one
batch that is already in memory. (Not with ``train_on_batch``, which is faster than any ``fit`` here.)
"""

import os
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor

from . import _data, _measure

_SIZE, _STORED, _IMAGES, _BATCH = 96, 108, 512, 32
_EPOCHS = 3


class Timed:
    """An iterator that adds up the time spent in ``next``."""

    def __init__(self, items: Iterator[Any], waits: list[float]) -> None:
        self._items, self._waits = items, waits

    def __iter__(self) -> "Timed":
        return self

    def __next__(self) -> Any:
        start = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self._waits.append(time.perf_counter() - start)


def time_waits(model: keras.Model) -> list[float]:
    """Make the model's training function note how long it waits for each batch."""
    waits: list[float] = []
    model.make_train_function()
    train = model.train_function

    def timed(*arguments: Any) -> Any:
        *state, iterator = arguments
        return train(*state, Timed(iter(iterator), waits))

    model.train_function = timed
    return waits


class Clock(keras.callbacks.Callback):
    """Starts the clock after the first epoch, in which functions are compiled, and stops it at the end."""

    def __init__(self, waits: list[float]) -> None:
        super().__init__()
        self.waits, self.shares, self.speeds = waits, [], []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.waits.clear()
        self.steps, self.start = 0, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.start
        if epoch > 0:
            self.shares.append(100 * sum(self.waits) / seconds)
            self.speeds.append(self.steps * _BATCH / seconds)


def main() -> None:
    with _data.setup(__doc__) as where:
        path = _data.raw_file(where, _STORED, _IMAGES)
        steps = [
            PatchPreprocessor(_SIZE, _SIZE),
            AugmentPreprocessor(**_data.AUGMENTATION),
            MeanPreprocessor(*_data.MEANS),
        ]
        data = HDF5DatasetGenerator(path, _BATCH, steps, shuffle=True)
        model = AlexNet.build(_SIZE, _SIZE, 3, 2)
        model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(1e-3))
        clock = Clock(time_waits(model))
        model.fit(data, epochs=1 + _EPOCHS, shuffle=False, callbacks=[clock], verbose=0)
        question, name = "fit: time waiting for data", f"AlexNet, {_SIZE} px, {keras.backend.backend()}"
        _measure.report_value(question, name, clock.shares, "% of the time", at_most=2)

        images, labels = data[0]

        class InMemory(keras.utils.PyDataset):
            """The same batch over and over, for an epoch of as many steps."""

            def __len__(self) -> int:
                return len(data)

            def __getitem__(self, index: int) -> tuple[Any, Any]:
                return images, labels

        def in_memory() -> int:
            model.fit(InMemory(), epochs=1, shuffle=False, verbose=0)
            return len(data) * len(images)

        speeds = _measure.race({"in memory": _measure.repeat(in_memory)}, _EPOCHS, seconds=3)
        speeds["fit from the file"] = clock.speeds
        _measure.report("fit: share of fit from memory", speeds, "fit from the file", "in memory")


if __name__ == "__main__":
    main()
