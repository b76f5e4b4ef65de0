"""The tasks of one run on a Dask cluster, from the first that is submitted to the last that is stopped."""

import contextlib
import itertools
import queue
import secrets
import sys
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, NamedTuple

from distributed import Future, KilledWorker

from pyimagesearch.cluster.tasks import Function
from pyimagesearch.cluster.worker import StoppedError
from pyimagesearch.errors import UserError
from pyimagesearch.utils.progress import Meter

if TYPE_CHECKING:
    from pyimagesearch.cluster.daskcluster import DaskCluster

SECONDS_BETWEEN_COUNTS = 2.0  # of workers, which come and go
_MOST_ROUNDS = 3  # of as many workers as the scheduler allows a task to end
_SECONDS_TO_STOP = 3.0
_SECONDS_TO_STOP_ON_CTRL_C = 0.5
_SECONDS_BETWEEN_LOOKS = 0.05


class _Attempt(NamedTuple):
    """A task that was submitted.

    Attributes:
        task: the task.
        future: of its result.
        number: tells it from others.
        rounds: how often it has ended as many workers as the scheduler allows.
        rescue: whether it is done by the function that rescues.
    """

    task: Any
    future: Future
    number: int
    rounds: int
    rescue: bool


class DaskRun:
    """The tasks of one call of `DaskCluster.run`; those that still run when the block ends are stopped."""

    def __init__(
        self, cluster: "DaskCluster", function: Function, rescue: Function | None, label: str, total: int
    ) -> None:
        self._cluster, self._function, self._rescue, self._label = cluster, function, rescue, label
        self._name = secrets.token_hex(8)
        self._orders = cluster.orders(self._name)
        self.attempts: dict[str, _Attempt] = {}
        self._numbers, self._keys = itertools.count(), itertools.count()
        self._units: dict[int, int] = {}
        self._complained = False
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._meter = Meter(total, label)
        self._context = contextlib.ExitStack()

    def __enter__(self) -> "DaskRun":
        self._context.enter_context(self._meter)
        self._context.enter_context(self._cluster.listening(lambda event: self._arrived.put(event[1])))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        with self._context:
            if self._cluster.is_there:
                self._stop(_SECONDS_TO_STOP_ON_CTRL_C if kind is KeyboardInterrupt else _SECONDS_TO_STOP)

    def begin(self, task: Any) -> None:
        """Have a task done."""
        self._submit(task, next(self._numbers), 0, False)

    def next_result(self) -> tuple[Any, int, Any] | None:
        """Wait some seconds until a task is done; return it, its number and its result, or None."""
        key = self._next_key()
        if key is None:
            return None
        attempt = self.attempts.pop(key)
        try:
            result = attempt.future.result()
        except CancelledError as error:
            raise self._cluster.lost() from error
        except KilledWorker:
            self._try_again(attempt)
        except StoppedError:  # its worker is to end, as where a cluster shrinks
            self._submit(attempt.task, attempt.number, attempt.rounds, attempt.rescue)
        else:
            if result is not None or not attempt.rescue:
                return attempt.task, attempt.number, result
            self._submit(attempt.task, attempt.number, attempt.rounds, False)
        return None

    def count(self, number: int, units: int) -> None:
        """Note that a task has done so many units."""
        self._units[number] = units
        self._meter.show(sum(self._units.values()))

    def _submit(self, task: Any, number: int, rounds: int, rescue: bool) -> None:
        function = self._rescue if rescue else self._function
        key = f"{self._label.replace(' ', '-').lower()}-{self._name}-{next(self._keys)}"
        future = self._cluster.submit(function, task, number, self._orders, key=key)
        self.attempts[key] = _Attempt(task, future, number, rounds, rescue)
        future.add_done_callback(lambda future: self._arrived.put(key))

    def _try_again(self, attempt: _Attempt) -> None:
        rounds = attempt.rounds + 1
        if rounds == _MOST_ROUNDS:
            raise UserError(
                f"--cluster: a task of {self._label!r} ended every worker that took it, and nothing is wrong with its "
                "images one by one; have the workers enough memory? start them with more, or fewer on a machine"
            )
        self._submit(attempt.task, attempt.number, rounds, self._rescue is not None and not attempt.rescue)

    def _next_key(self) -> str | None:
        """Wait until a task is done, and show how far the others are; return its key, or None after a while."""
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
        if not self._cluster.is_there:
            raise self._cluster.lost()
        if not self._cluster.count_workers() and not self._complained:
            self._complained = True
            print(f"{self._label}: no worker is left; waiting for one", file=sys.stderr, flush=True)
        return None

    def _hear(self, said: tuple[str, int, int]) -> None:
        run, number, units = said
        if run == self._name:
            self.count(number, max(units, self._units.get(number, 0)))

    def _stop(self, seconds: float) -> None:
        """Stop what runs, and wait some time until it has stopped."""
        for attempt in self.attempts.values():
            attempt.future.cancel()
        deadline = time.monotonic() + seconds
        while self._cluster.end(self._name) and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
