"""Open the cluster that a short text names: this process, workers of this machine, or a Dask scheduler."""

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


@contextlib.contextmanager
def open_cluster(
    spec: str | None,
    threads: int | None = None,
    versions: Callable[[], Mapping[str, str]] = data_versions,
    seconds: float = _SECONDS_TO_CONNECT,
) -> Iterator[Cluster]:
    """Open a cluster until the block ends.

    Args:
        spec: None for this process; "local" for one worker process per processor of this machine, "local:N" for N of
            them; "tcp://host:port" or "tls://host:port" for a running Dask scheduler.
        threads: number of threads of a task; by default the workers of a machine share its processors.
        versions: a function of a module, whose result must be the same in all processes.
        seconds: how long to wait for the scheduler, and for a worker.

    Raises:
        UserError: there is no such cluster, or its workers would give other results than this process.
    """
    if spec is None:
        yield ThisProcess(threads)
        return
    local = _LOCAL.fullmatch(spec)
    if not local and not _ADDRESS.fullmatch(spec):
        raise UserError(
            "cluster: must be local, local:N (N processes), or the address of a Dask scheduler, tcp://host:port; "
            f"received {spec}"
        )
    try:
        import dask
        import distributed
    except ImportError as error:
        raise UserError(
            "cluster: needs dask and distributed, which are not installed; pip install 'pyimagesearch[cluster]'"
        ) from error
    from pyimagesearch.cluster.daskcluster import DaskCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # DaskCluster says what a user needs to know
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}))
        count = int(local[1] or cpu_count()) if local else 0
        address = stack.enter_context(_local_cluster(count)) if local else spec
        try:
            client = distributed.Client(address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"cluster: no Dask scheduler answers at {spec} ({type(error).__name__}); start one with dask "
                "scheduler, or check the address"
            ) from error
        stack.callback(_close, client, 1)
        yield DaskCluster(client, spec, threads, versions, seconds)


@contextlib.contextmanager
def _local_cluster(count: int) -> Iterator[Any]:
    import dask
    import distributed

    settings = {
        "distributed.nanny.pre-spawn-environ": {},  # libraries use threads as in this process
        "distributed.scheduler.allowed-failures": 1,  # a task that crashed two workers is rescued
    }
    try:
        with dask.config.set(settings), ctrl_c_held_back():
            cluster = distributed.LocalCluster(  # its usual port would be in the way of a second run
                n_workers=count, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address="127.0.0.1:0",
                worker_dashboard_address=None, silence_logs=logging.CRITICAL,
            )  # fmt: skip
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"cluster: {count} worker processes could not be started ({error}); try again, or start fewer"
        ) from error
    try:
        yield cluster
    finally:
        _close(cluster, 10)


def _close(opened: Any, seconds: float) -> None:
    """Close a client or a cluster, unless it no longer answers."""
    with contextlib.suppress(TimeoutError):
        opened.close(timeout=seconds)
