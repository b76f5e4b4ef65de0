"""Turns ``--cluster`` into what runs tasks."""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyimagesearch.cluster.tasks import Cluster
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.cluster.worker import data_versions
from pyimagesearch.errors import UserError
from pyimagesearch.utils.parallel import cpu_count, ctrl_c_held_back

_SECONDS_TO_CONNECT = 10.0
_LOCAL = re.compile(r"local(?::([1-9]\d*))?")
_ADDRESS = re.compile(r"(?:tcp|tls)://[^/]+:\d+")
RULE = "must be local, local:N (so many processes), or the address of a Dask scheduler, tcp://host:port"


def is_spec(text: str) -> bool:
    """Return whether `open_cluster` knows such clusters."""
    return bool(_LOCAL.fullmatch(text) or _ADDRESS.fullmatch(text))


@contextlib.contextmanager
def open_cluster(
    spec: str | None,
    threads: int | None = None,
    versions: Callable[[], Mapping[str, str]] = data_versions,
    seconds: float = _SECONDS_TO_CONNECT,
) -> Iterator[Cluster]:
    """Open what ``spec`` names, until the block ends.

    Args:
        spec: None for this process; "local" or "local:N" for as many worker processes of this machine as it has
            processors, or N; "tcp://host:port" or "tls://host:port" for a running Dask scheduler.
        threads: of a task; by default all processors of a machine are shared out among its workers.
        versions: a function of a module that returns what must be the same in all processes.
        seconds: how long to wait for the scheduler, and for a worker.

    Raises:
        UserError: there is no such cluster, or its workers would give other results than this process.
    """
    if spec is None:
        yield ThisProcess(threads)
        return
    if not is_spec(spec):
        raise UserError(f"--cluster: {RULE}; received {spec}")
    try:
        import dask
        import distributed
    except ImportError as error:
        raise UserError(
            "--cluster: needs dask and distributed, which are not installed; pip install 'pyimagesearch[cluster]'"
        ) from error
    from pyimagesearch.cluster.daskcluster import DaskCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what a user needs to know, DaskCluster says
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}))
        local = _LOCAL.fullmatch(spec)
        count = int(local[1] or cpu_count()) if local else 0
        address = stack.enter_context(_local_cluster(count)) if local else spec
        try:
            client = distributed.Client(address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"--cluster: no Dask scheduler answers at {spec} ({type(error).__name__}); start one by dask "
                "scheduler, or check the address"
            ) from error
        stack.callback(_close, client, 1)
        yield DaskCluster(client, spec, threads, versions, seconds)


@contextlib.contextmanager
def _local_cluster(count: int) -> Iterator[Any]:
    import dask
    import distributed

    settings = {
        "distributed.nanny.pre-spawn-environ": {},  # libraries work as in this process, not on one thread
        "distributed.scheduler.allowed-failures": 1,  # a task that ended two workers is looked at more closely
    }
    try:
        with dask.config.set(settings), ctrl_c_held_back():
            cluster = distributed.LocalCluster(
                n_workers=count, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address=None,
                worker_dashboard_address=None, silence_logs=logging.CRITICAL,
            )  # fmt: skip
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"--cluster: {count} worker processes could not be started ({error}); try again, or fewer of them"
        ) from error
    try:
        yield cluster
    finally:
        _close(cluster, 10)


def _close(opened: Any, seconds: float) -> None:
    """Close a client or a cluster; one that does not answer any more is left alone."""
    with contextlib.suppress(TimeoutError):
        opened.close(timeout=seconds)
