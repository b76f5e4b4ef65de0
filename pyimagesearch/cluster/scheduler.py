"""A connection to a Dask scheduler, which may be lost and whose workers come and go."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from distributed import Client, Future

from pyimagesearch.cluster import worker
from pyimagesearch.errors import ClusterLostError

SECONDS_BETWEEN_COUNTS = 2.0


class Scheduler:
    """A Dask scheduler, as the client of a run sees it.

    Args:
        client: connected to the scheduler.
        spec: what the user calls it.

    Attributes:
        workers: number of tasks that can run at a time, when they were last counted.
    """

    def __init__(self, client: Client, spec: str) -> None:
        self.client, self.spec = client, spec
        self.workers, self._counted = 0, -SECONDS_BETWEEN_COUNTS

    @property
    def answers(self) -> bool:
        """True if the scheduler still answers."""
        return self.client.status == "running"

    def count_workers(self) -> int:
        """Return `workers`, counted again if the last count is too old."""
        if time.monotonic() - self._counted > SECONDS_BETWEEN_COUNTS and self.answers:
            self._counted = time.monotonic()
            with contextlib.suppress(OSError):  # the loss of the scheduler is noticed elsewhere
                self.workers = sum(self.client.nthreads().values())
        return self.workers

    def submit(self, *arguments: Any, key: str) -> Future:
        """Let a worker run a task; see `worker.run_task` for the arguments.

        Raises:
            ClusterLostError: the scheduler is gone.
        """
        try:
            return self.client.submit(worker.run_task, *arguments, key=key, pure=False)
        except Exception as error:
            if self.answers:
                raise
            raise self.lost() from error

    @contextlib.contextmanager
    def listening(self, hear: Callable[[tuple[float, Any]], None]) -> Iterator[None]:
        """Pass the reports of tasks to ``hear`` until the block ends."""
        self.client.subscribe_topic(worker.TOPIC, hear)
        try:
            yield
        finally:
            if self.answers:
                self.client.unsubscribe_topic(worker.TOPIC)

    def end(self, run: str) -> int:
        """Stop a run on all workers; return how many of its tasks are still running."""
        return sum(self.client.run(worker.end, run, on_error="ignore").values())

    def lost(self) -> ClusterLostError:
        """Return the error for a scheduler that is gone."""
        return ClusterLostError(
            f"cluster: the scheduler at {self.spec} is gone, or was restarted; finished files stay on disk: once it "
            "runs again, start the same work with resume=True"
        )
