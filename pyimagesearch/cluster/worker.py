"""Run a task on a worker, and report its progress."""

import functools
import importlib
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyimagesearch.cluster.tasks import Function, Keeper, Work
from pyimagesearch.errors import UserError
from pyimagesearch.utils.parallel import cpu_count

TOPIC = "pyimagesearch"
"""Topic of the events that report progress: (run, number of the task, units done)."""

_MOST_RUNS = 2  # that things are kept for
_MOST_ENDED = 100  # runs to remember
_keepers: dict[str, Keeper] = {}
_tasks: Counter[str] = Counter()  # running here, by their run
_ended: dict[str, None] = {}  # runs, the latest last
_lock = threading.Lock()
_PATIENCE_SECONDS = 120.0  # file servers keep the locks of a machine that is gone for a minute or more


@dataclass(frozen=True)
class Orders:
    """Functions and values that the tasks of a run share.

    Attributes:
        run: identifies the run.
        versions, expected: a function, and the result that it must have.
        threads: number of threads of a task, by the host of its worker.
        folders: folders that results are written into.
        interval: seconds between two reports of a task.
    """

    run: str
    versions: Callable[[], Mapping[str, str]]
    expected: Mapping[str, str]
    threads: Mapping[str, int]
    folders: Sequence[str]
    interval: float


class StoppedError(Exception):
    """A task has stopped because its result is no longer needed."""


def data_versions() -> dict[str, str]:
    """Return the versions of the libraries that can change the bytes of a data set, by name."""
    from pyimagesearch.utils.versions import library_versions

    return json.loads(library_versions())


def survey(versions: Callable[[], Mapping[str, str]], paths: Sequence[str] = ()) -> dict[str, Any]:
    """Return the "versions" and "processors" of a process, and those of ``paths`` that are "missing"."""
    missing = [path for path in paths if not os.path.exists(path)]
    return {"versions": versions(), "processors": cpu_count(), "missing": missing}


def check_versions(found: Mapping[str, str], expected: Mapping[str, str], address: str) -> None:
    """Raise a `UserError` unless a worker has the same versions as the client."""
    differing = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    if differing:
        words = [f"{name} {found.get(name, 'missing')} instead of {expected.get(name, 'none')}" for name in differing]
        raise UserError(
            "cluster: workers must have the same versions as this process, or their results would differ; "
            f"{address} has {', '.join(words)}; install the same versions everywhere"
        )


@functools.lru_cache(maxsize=8)
def _prepare(versions: Callable[[], Mapping[str, str]], expected: tuple[tuple[str, str], ...], address: str) -> None:
    """Check and prepare a worker, once; it may have joined after the run began."""
    check_versions(versions(), dict(expected), address)
    # Dask sometimes draws from Python's global random generator in its own thread, which would disturb a task's.
    vars(importlib.import_module("dask.sizeof"))["random"] = random.Random()


def _begin(run: str) -> Keeper:
    """Count one more task of a run; return the keeper of the run's things.

    A run that was never ended, because its client was killed, loses its things when other runs begin.
    """
    with _lock:
        if run in _ended:
            raise StoppedError
        _tasks[run] += 1
        keeper = _keepers.pop(run, None) or Keeper()
        _keepers[run] = keeper  # ordered by their last use
        for oldest in list(_keepers)[:-_MOST_RUNS]:
            del _keepers[oldest]
        return keeper


def end(run: str) -> int:
    """Start no more tasks of a run, make the running ones stop soon, and return their number."""
    with _lock:
        _ended[run] = None
        for oldest in list(_ended)[:-_MOST_ENDED]:
            del _ended[oldest]
        _keepers.pop(run, None)
        return _tasks[run]


def run_task(function: Function, task: Any, number: int, orders: Orders) -> Any:
    """Run one task in this thread of a worker.

    Raises:
        StoppedError: its result is no longer needed.
        Exception: the error of the task.
    """
    from distributed import Status, get_worker
    from distributed.comm import get_address_host

    worker = get_worker()
    key, last = worker.get_current_task(), [0.0]
    running = (Status.running, Status.paused, Status.closing_gracefully)
    _prepare(orders.versions, tuple(orders.expected.items()), worker.address)
    for folder in orders.folders:
        if not os.path.isdir(folder):
            raise UserError(
                f"cluster: {folder} must be a folder that all workers share; {worker.address} does not see it"
            )

    def report(units: int) -> None:
        known = worker.state.tasks.get(key)
        forgotten = known is None or known.state != "executing" or orders.run in _ended
        if forgotten or worker.status not in running:
            raise KeyboardInterrupt
        if time.monotonic() - last[0] >= orders.interval:
            last[0] = time.monotonic()
            worker.log_event(TOPIC, (orders.run, number, units))

    threads = orders.threads.get(get_address_host(worker.address), max(1, cpu_count() // worker.state.nthreads))
    keeper = _begin(orders.run)
    try:
        report(0)
        return function(task, Work(threads, report, keeper.keep, _PATIENCE_SECONDS))
    except KeyboardInterrupt:
        raise StoppedError from None
    finally:
        with _lock:
            _tasks.subtract([orders.run])
            if not _tasks[orders.run]:
                del _tasks[orders.run]
