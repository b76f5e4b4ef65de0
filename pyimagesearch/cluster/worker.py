"""What happens on a worker: a task runs there, and tells how far it is."""

import functools
import importlib
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pyimagesearch.cluster.tasks import Function, Keeper, Work
from pyimagesearch.errors import UserError
from pyimagesearch.utils.parallel import cpu_count

TOPIC = "pyimagesearch"
"""Of the events by which tasks tell how far they are: (run, number of the task, units done)."""


_MOST_RUNS = 2  # for which things are kept
_MOST_ENDED = 100  # runs that are remembered
_keepers: dict[str, Keeper] = {}
_tasks: Counter[str] = Counter()  # that run here, by their run
_ended: dict[str, None] = {}  # runs, the latest last
_lock = threading.Lock()
_PATIENCE_SECONDS = 120.0  # file servers keep the locks of a machine that is gone for a minute or more


class Orders(NamedTuple):
    """What all tasks of a run have in common.

    Attributes:
        run: tells it from others.
        versions, expected: a function, and what it must return.
        threads: of a task, by the host of its worker.
        folders: where results are written.
        interval: seconds between two reports of a task.
    """

    run: str
    versions: Callable[[], Mapping[str, str]]
    expected: Mapping[str, str]
    threads: Mapping[str, int]
    folders: Sequence[str]
    interval: float


class StoppedError(Exception):
    """A task stopped because nobody waits for it any more."""


def data_versions() -> dict[str, str]:
    """Return the versions that can change the bytes of a data set, by name."""
    from pyimagesearch.utils.versions import library_versions

    return json.loads(library_versions())


def survey(versions: Callable[[], Mapping[str, str]], paths: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a process has: "versions", "processors", and those of ``paths`` that are "missing"."""
    missing = [path for path in paths if not os.path.exists(path)]
    return {"versions": versions(), "processors": cpu_count(), "missing": missing}


def check_versions(found: Mapping[str, str], expected: Mapping[str, str], address: str) -> None:
    """Raise a `UserError` unless a worker has the same versions as the client."""
    differing = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    if differing:
        words = [f"{name} {found.get(name, 'missing')} instead of {expected.get(name, 'none')}" for name in differing]
        raise UserError(
            f"--cluster: workers must have the versions that this process has, or their results would differ; "
            f"{address} has {', '.join(words)}; install the same everywhere"
        )


@functools.lru_cache(maxsize=8)
def _prepare(versions: Callable[[], Mapping[str, str]], expected: tuple[tuple[str, str], ...], address: str) -> None:
    """Check and prepare a worker, once: it may have joined after the run began."""
    check_versions(versions(), dict(expected), address)
    # Dask draws from Python's global generator now and then, in a thread of its own: that of a task would be disturbed.
    vars(importlib.import_module("dask.sizeof"))["random"] = random.Random()


def _begin(run: str) -> Keeper:
    """Count one more task of a run; return what keeps things for them.

    Things of a run whose end nobody told, as its client was killed, go when others come.
    """
    with _lock:
        if run in _ended:
            raise StoppedError
        _tasks[run] += 1
        keeper = _keepers.pop(run, None) or Keeper()
        _keepers[run] = keeper  # the last is the one used last
        for oldest in list(_keepers)[:-_MOST_RUNS]:
            del _keepers[oldest]
        return keeper


def end(run: str) -> int:
    """Let no more tasks of a run begin, have those that run stop soon, and return how many these are."""
    with _lock:
        _ended[run] = None
        for oldest in list(_ended)[:-_MOST_ENDED]:
            del _ended[oldest]
        _keepers.pop(run, None)
        return _tasks[run]


def run_task(function: Function, task: Any, number: int, orders: Orders) -> Any:
    """Run one task in this thread of a worker.

    Raises:
        StoppedError: nobody waits for it any more.
        Exception: what the task raises.
    """
    from distributed import Status, get_worker
    from distributed.comm import get_address_host

    worker = get_worker()
    key, last = worker.get_current_task(), [0.0]
    running = (Status.running, Status.paused, Status.closing_gracefully)
    _prepare(orders.versions, tuple(orders.expected.items()), worker.address)
    for folder in orders.folders:
        if not os.path.isdir(folder):
            raise UserError(f"--cluster: {folder} must be a folder that all workers share; {worker.address} has none")

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
