"""Shows on a page of this machine how a training goes on."""

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras

from pyimagesearch.callbacks.bestmodel import BestModel
from pyimagesearch.nn.modelfile import Position
from pyimagesearch.watch import PageServer

_SECONDS_BETWEEN = 0.25
_LOOKS_BACK = 40  # publications over which the present speed is measured: about ten seconds


class _Moment(NamedTuple):
    """When, after how many images of the epoch, and after how many seconds of waiting for them."""

    time: float
    images: int
    waited: float


class LivePage(keras.callbacks.Callback):
    """Publish the progress of a training a few times a second, and its curves after every epoch.

    Put it behind the callbacks whose results it shows.

    Args:
        server: where it is published; whoever made it closes it.
        train: the `HDF5DatasetGenerator` that the model is trained on.
        epochs: epochs in all.
        best: the callback that knows the best epoch.
        histories: the curves, as `TrainingMonitor` and `TrainingSpeed` keep them.
        start: the position that this run goes on from.
        title: of the page.
    """

    def __init__(
        self,
        server: PageServer,
        train: Any,
        epochs: int,
        best: BestModel,
        histories: Sequence[Mapping[str, Sequence[float | None]]],
        start: Position | None = None,
        title: str = "Training",
    ) -> None:
        super().__init__()
        self._server, self._train, self._best, self._histories = server, train, best, histories
        self._start, self._batches = start or Position(), len(train)
        self._offset = self._start.batch
        self._state: dict[str, Any] = {"title": title, "epochs": epochs, "batches": self._batches}
        self._next, self._moments = 0.0, deque[_Moment](maxlen=_LOOKS_BACK)
        self._first: tuple[float, int] | None = None
        self._results()
        self._publish(status="starting", epoch=self._start.epoch + 1, batch=self._start.batch)

    @property
    def state(self) -> Mapping[str, Any]:
        """What was published last."""
        return self._state

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Show that the epoch begins."""
        self._moments.clear()
        self._offset = self._start.batch if epoch == self._start.epoch else 0
        self._publish(status="training", epoch=epoch + 1, batch=self._offset)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Show how far the epoch is, if this was not shown just now."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _SECONDS_BETWEEN
        done = self._offset + batch + 1
        images = min(done * self._train.batch_size, self._train.num_images)
        self._moments.append(_Moment(now, images, self._train.loader.waited))
        running = {name: _number(value) for name, value in (logs or {}).items()}
        self._publish(batch=done, running=running, seconds_left=self._seconds_left(now, done), **self._speed())

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Show that the epoch is being validated."""
        self._publish(status="validating", batch=self._batches)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Show the epoch's results."""
        self._results()
        self._publish(batch=self._batches)

    def _publish(self, **changes: Any) -> None:
        self._state = {**self._state, **changes}
        self._server.publish(self._state)

    def _results(self) -> None:
        curves = {name: [_number(v) for v in values] for history in self._histories for name, values in history.items()}
        best = (self._best.epoch, self._best.accuracy) if self._best.epoch else (None, None)
        self._state = {**self._state, "best_epoch": best[0], "best_accuracy": best[1], "history": curves}

    def _speed(self) -> dict[str, float | None]:
        first, last = self._moments[0], self._moments[-1]
        seconds = last.time - first.time
        if seconds <= 0:
            return {}
        waiting = min((last.waited - first.waited) / seconds, 1.0)
        return {"images_per_second": (last.images - first.images) / seconds, "waiting": waiting}

    def _seconds_left(self, now: float, done: int) -> float | None:
        """Return the rest at the average speed since the first batch, which has to wait for the compiler."""
        total = (self._state["epoch"] - 1) * self._batches + done
        if self._first is None:
            self._first = now, total
        began, before = self._first
        if total == before:
            return None
        return (now - began) / (total - before) * (self._state["epochs"] * self._batches - total)


def _number(value: float | None) -> float | None:
    """Return a number that JSON knows: infinite losses and NaN are None."""
    return float(value) if value is not None and math.isfinite(value) else None
