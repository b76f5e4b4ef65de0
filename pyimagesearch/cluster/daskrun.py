"""One run of tasks on a Dask cluster, from the first that is submitted to the last that is stopped."""

import contextlib
import itertools
import logging
import queue
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from distributed import Future, KilledWorker

from pyimagesearch.cluster.scheduler import SECONDS_BETWEEN_COUNTS, Scheduler
from pyimagesearch.cluster.tasks import Function
from pyimagesearch.cluster.worker import Orders, StoppedError
from pyimagesearch.errors import UserError
from pyimagesearch.utils.progress import Meter

_MOST_ROUNDS = 3  # in each a task may crash as many workers as the scheduler allows
_SECONDS_TO_STOP = 3.0
_SECONDS_TO_STOP_ON_CTRL_C = 0.5
_SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True, eq=False)
class _Attempt:
    """A task that was submitted.

    Attributes:
        task: the task.
        future: its result.
        number: identifies it in reports.
        rounds: how often it has crashed as many workers as the scheduler allows.
        rescue: whether ``rescue`` runs it.
    """

    task: Any
    future: Future
    number: int
    rounds: int
    rescue: bool


class DaskRun:
    """The tasks of one call of `DaskCluster.run`; those that are running when the block ends are stopped."""

    def __init__(
        self,
        scheduler: Scheduler,
        orders: Orders,
        function: Function,
        rescue: Function | None,
        label: str,
        total: int,
    ) -> None:
        self._scheduler, self._orders, self._function, self._rescue = scheduler, orders, function, rescue
        self._label = label
        self.attempts: dict[str, _Attempt] = {}
        self._numbers, self._keys = itertools.count(), itertools.count()
        self._units: dict[int, int] = {}
        self._complained = False
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._meter = Meter(total, label)
        self._context = contextlib.ExitStack()

    def __enter__(self) -> "DaskRun":
        self._context.enter_context(self._meter)
        self._context.enter_context(self._scheduler.listening(lambda event: self._arrived.put(event[1])))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        with self._context:
            if self._scheduler.answers:
                self._stop(_SECONDS_TO_STOP_ON_CTRL_C if kind is KeyboardInterrupt else _SECONDS_TO_STOP)

    def begin(self, task: Any) -> None:
        """Submit a task."""
        self._submit(task, next(self._numbers), 0, False)

    def next_result(self) -> tuple[Any, int, Any] | None:
        """Wait a few seconds for a task to finish; return it, its number and its result, or None."""
        key = self._next_key()
        if key is None:
            return None
        attempt = self.attempts.pop(key)
        try:
            result = attempt.future.result()
        except CancelledError as error:
            raise self._scheduler.lost() from error
        except KilledWorker:
            self._try_again(attempt)
        except StoppedError:  # its worker retires, as when a cluster shrinks
            self._submit(attempt.task, attempt.number, attempt.rounds, attempt.rescue)
        else:
            if result is not None or not attempt.rescue:
                return attempt.task, attempt.number, result
            self._submit(attempt.task, attempt.number, attempt.rounds, False)
        return None

    def count(self, number: int, units: int) -> None:
        """Note that a task has done ``units`` so far."""
        self._units[number] = units
        self._meter.show(sum(self._units.values()))

    def _submit(self, task: Any, number: int, rounds: int, rescue: bool) -> None:
        function = self._rescue if rescue else self._function
        key = f"{self._label.replace(' ', '-').lower()}-{self._orders.run}-{next(self._keys)}"
        future = self._scheduler.submit(function, task, number, self._orders, key=key)
        self.attempts[key] = _Attempt(task, future, number, rounds, rescue)
        future.add_done_callback(lambda future: self._arrived.put(key))

    def _try_again(self, attempt: _Attempt) -> None:
        rounds = attempt.rounds + 1
        if rounds == _MOST_ROUNDS:
            raise UserError(
                f"cluster: a task of {self._label!r} crashed every worker that took it, and its images are readable "
                "one by one; check that the workers have enough memory, or start fewer on a machine"
            )
        self._submit(attempt.task, attempt.number, rounds, self._rescue is not None and not attempt.rescue)

    def _next_key(self) -> str | None:
        """Wait for a task to finish, and show the progress of the others; return its key, or None after a while."""
        deadline = time.monotonic() + SECONDS_BETWEEN_COUNTS
        while (left := deadline - time.monotonic()) > 0:
            try:
                said = self._arrived.get(timeout=left)
            except queue.Empty:
                break
            if not isinstance(said, str):
                self._hear(said)
            elif said in self.attempts:
                return said
        if not self._scheduler.answers:
            raise self._scheduler.lost()
        if not self._scheduler.count_workers() and not self._complained:
            self._complained = True
            logging.getLogger(__name__).warning("%s: no workers are left; waiting for one", self._label)
        return None

    def _hear(self, said: tuple[str, int, int]) -> None:
        run, number, units = said
        if run == self._orders.run:
            self.count(number, max(units, self._units.get(number, 0)))

    def _stop(self, seconds: float) -> None:
        """Stop the running tasks, and wait up to ``seconds`` for them."""
        for attempt in self.attempts.values():
            attempt.future.cancel()
        deadline = time.monotonic() + seconds
        while self._scheduler.end(self._orders.run) and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
