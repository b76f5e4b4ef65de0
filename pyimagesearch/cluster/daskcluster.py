"""Run tasks on the workers of a Dask cluster."""

import contextlib
import itertools
import os
import secrets
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.comm import get_address_host

from pyimagesearch.cluster import worker
from pyimagesearch.cluster.daskrun import DaskRun
from pyimagesearch.cluster.scheduler import Scheduler
from pyimagesearch.cluster.tasks import Function, PathLike, Result, Task, Work, one
from pyimagesearch.errors import UserError

_REPORTS_A_SECOND = 200  # of all tasks together


class DaskCluster:
    """The workers of a Dask scheduler as a `tasks.Cluster`.

    Args:
        client: connected to the scheduler.
        spec: what the user calls it.
        threads: number of threads of a task; by default the workers of a machine share its processors.
        versions: a function of a module, whose result must be the same in all processes.
        seconds: how long to wait for a worker.

    Raises:
        UserError: there are no workers, or they have other versions.
    """

    elsewhere = True

    def __init__(
        self, client: Client, spec: str, threads: int | None, versions: Callable[[], Mapping[str, str]], seconds: float
    ) -> None:
        self._client, self._versions = client, versions
        self._expected = dict(versions())
        self._folders: list[str] = []
        self._scheduler = Scheduler(client, spec)
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(1, timeout=seconds)
        if not self._scheduler.count_workers():
            raise UserError(f"cluster: {spec} has no workers; start some, as by dask worker {spec} --nthreads 1")
        per_host: Counter[str] = Counter()
        for address, slots in client.nthreads().items():
            per_host[get_address_host(address)] += slots
        self._threads: dict[str, int] = {}
        for address, found in self._survey().items():
            host = get_address_host(address)
            self._threads[host] = threads or max(1, found["processors"] // max(1, per_host[host]))

    @property
    def workers(self) -> int:
        """Number of tasks that run at a time."""
        return self._scheduler.workers

    def check(self, reads: Iterable[PathLike] = (), folders: Iterable[PathLike] = ()) -> None:
        """Check that every worker sees the same files, and files that this process creates in ``folders``."""
        self._folders = [os.path.abspath(folder) for folder in folders]
        tokens = [os.path.join(folder, f".{secrets.token_hex(8)}.shared") for folder in self._folders]
        try:
            for token in map(Path, tokens):
                token.parent.mkdir(parents=True, exist_ok=True)
                token.touch()
            self._survey([*map(os.path.abspath, reads), *tokens])
        finally:
            for token in map(Path, tokens):
                token.unlink(missing_ok=True)

    def _survey(self, paths: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        answers = self._client.run(worker.survey, self._versions, paths, on_error="return")
        found = {address: each for address, each in answers.items() if not isinstance(each, OSError)}
        for address, each in found.items():
            if isinstance(each, Exception):
                raise UserError(
                    f"cluster: {address} cannot run this program ({type(each).__name__}: {each}); install the same "
                    "packages everywhere"
                ) from each
            worker.check_versions(each["versions"], self._expected, address)
            for missing in each["missing"]:
                seen = os.path.dirname(missing) if missing.endswith(".shared") else missing
                raise UserError(
                    f"cluster: all workers must see the same files under the same names; {address} does not see "
                    f"{seen} of this machine; share the folder (by NFS, for example) under one name on all machines"
                )
        return found

    def run(
        self,
        function: Function[Task, Result],
        tasks: Sequence[Task],
        *,
        label: str,
        total: int,
        weight: Callable[[Task], int] = one,
        follow: Callable[[Task, Result], Task | None] | None = None,
        rescue: Callable[[Task, Work], Result | None] | None = None,
    ) -> Generator[tuple[Task, Result], None, None]:
        """Yield each task with its result as they finish."""
        orders = worker.Orders(
            secrets.token_hex(8), self._versions, self._expected, self._threads, self._folders,
            interval=max(0.2, self.workers / _REPORTS_A_SECOND),
        )  # fmt: skip
        with DaskRun(self._scheduler, orders, function, rescue, label, total) as run:
            waiting = iter(tasks)
            while True:
                free = (self._scheduler.count_workers() or 1) - len(run.attempts)
                for task in itertools.islice(waiting, max(0, free)):
                    run.begin(task)
                if not run.attempts:
                    return
                found = run.next_result()
                if found is None:  # time passed, and there may be new workers
                    continue
                task, number, result = found
                run.count(number, weight(task))
                if follow and (next_task := follow(task, result)) is not None:
                    run.begin(next_task)
                yield task, result
