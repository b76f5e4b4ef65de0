"""Runs tasks on the workers of a Dask cluster."""

import contextlib
import itertools
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from distributed import Client, Future
from distributed.comm import get_address_host

from pyimagesearch.cluster import worker
from pyimagesearch.cluster.daskrun import SECONDS_BETWEEN_COUNTS, DaskRun
from pyimagesearch.cluster.tasks import Function, PathLike, Result, Task, Work, one
from pyimagesearch.errors import ClusterLostError, UserError

_REPORTS_A_SECOND = 200  # of all tasks together


class DaskCluster:
    """The workers of a Dask scheduler: see `tasks.Cluster`.

    Args:
        client: of the scheduler.
        spec: what the user calls it.
        threads: of a task; by default all processors of a machine are shared out among its workers.
        versions: a function of a module that returns what must be the same in all processes.
        seconds: how long to wait for a worker.

    Raises:
        UserError: there are no workers, or they have other versions.
    """

    elsewhere = True

    def __init__(
        self, client: Client, spec: str, threads: int | None, versions: Callable[[], Mapping[str, str]], seconds: float
    ) -> None:
        self._client, self._spec, self._versions = client, spec, versions
        self._expected = dict(versions())
        self._folders: list[str] = []
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(1, timeout=seconds)
        self.workers, self._counted = 0, -SECONDS_BETWEEN_COUNTS
        if not self.count_workers():
            raise UserError(f"--cluster: {spec} has no workers; start some, as by dask worker {spec} --nthreads 1")
        per_host: Counter[str] = Counter()
        for address, slots in client.nthreads().items():
            per_host[get_address_host(address)] += slots
        self._threads: dict[str, int] = {}
        for address, found in self._survey().items():
            host = get_address_host(address)
            self._threads[host] = threads or max(1, found["processors"] // max(1, per_host[host]))

    def check(self, reads: Iterable[PathLike] = (), folders: Iterable[PathLike] = ()) -> None:
        """Check that every worker sees the same files, and files that are made in ``folders`` for a moment."""
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
                    f"--cluster: {address} cannot run this program ({type(each).__name__}: {each}); install the same "
                    "everywhere"
                ) from each
            worker.check_versions(each["versions"], self._expected, address)
            for missing in each["missing"]:
                seen = os.path.dirname(missing) if missing.endswith(".shared") else missing
                raise UserError(
                    f"--cluster: all workers must see the same files under the same names; {address} does not see "
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
        """Yield tasks and results as they come."""
        with DaskRun(self, function, rescue, label, total) as run:
            waiting = iter(tasks)
            while True:
                for task in itertools.islice(waiting, max(0, (self.count_workers() or 1) - len(run.attempts))):
                    run.begin(task)
                if not run.attempts:
                    return
                found = run.next_result()
                if found is None:  # there may be new workers
                    continue
                task, number, result = found
                run.count(number, weight(task))
                if follow and (next_task := follow(task, result)) is not None:
                    run.begin(next_task)
                yield task, result

    def orders(self, run: str) -> worker.Orders:
        """Return what the tasks of a run are told."""
        interval = max(0.2, self.workers / _REPORTS_A_SECOND)
        return worker.Orders(run, self._versions, self._expected, self._threads, self._folders, interval)

    def submit(self, *arguments: Any, key: str) -> Future:
        """Have a worker run a task.

        Raises:
            ClusterLostError: the scheduler is gone.
        """
        try:
            return self._client.submit(worker.run_task, *arguments, key=key, pure=False)
        except Exception as error:
            if self.is_there:
                raise
            raise self.lost() from error

    @contextlib.contextmanager
    def listening(self, hear: Callable[[tuple[float, Any]], None]) -> Iterator[None]:
        """Have what tasks tell of themselves heard until the block ends."""
        self._client.subscribe_topic(worker.TOPIC, hear)
        try:
            yield
        finally:
            if self.is_there:
                self._client.unsubscribe_topic(worker.TOPIC)

    def end(self, run: str) -> int:
        """Stop a run on all workers; return how many of its tasks have not stopped yet."""
        running = self._client.run(worker.end, run, on_error="ignore")
        return sum(running.values())

    @property
    def is_there(self) -> bool:
        """Return whether the scheduler answers."""
        return self._client.status == "running"

    def count_workers(self) -> int:
        """Return how many tasks can run at a time just now; now and then it is counted anew."""
        if time.monotonic() - self._counted > SECONDS_BETWEEN_COUNTS and self.is_there:
            self._counted = time.monotonic()
            with contextlib.suppress(OSError):  # that it is gone will be seen in another way
                self.workers = sum(self._client.nthreads().values())
        return self.workers

    def lost(self) -> ClusterLostError:
        """Return the error for a scheduler that is gone."""
        return ClusterLostError(
            f"--cluster: the scheduler at {self._spec} is gone, or was restarted; what is finished stays on disk: once "
            "it runs again, go on with the same command and --resume"
        )
