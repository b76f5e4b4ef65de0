"""What a task is told, and what runs tasks."""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import open_alone

PathLike = str | os.PathLike[str]


Task = TypeVar("Task")


Result = TypeVar("Result")


class Work(NamedTuple):
    """What a task is told when it starts.

    Attributes:
        threads: how many of its own it may use.
        report: to be called often, with how many units of the task are done. It raises KeyboardInterrupt when the
            task is to stop: on Ctrl-C, and where nobody waits for its result any more.
        keep: ``keep(name, make)`` returns what ``make()`` returned when it was called first for this name, in this run
            and process: for what is slow to load and serves many tasks.
        patience: how long to wait, in seconds, for a file that an earlier attempt of the task may still hold.
    """

    threads: int
    report: Callable[[int], None]
    keep: Callable[[str, Callable[[], Any]], Any]
    patience: float = 0.0


Function = Callable[[Task, Work], Result]


def one(task: Any) -> int:
    """Return 1: what a task counts that is a unit itself."""
    del task
    return 1


class Cluster(Protocol):
    """What runs tasks, here or elsewhere.

    Attributes:
        workers: how many tasks run at a time.
        elsewhere: whether in other processes, so that tasks and results are pickled and paths must be absolute.
    """

    workers: int
    elsewhere: bool

    def check(self, reads: Iterable[PathLike] = (), folders: Iterable[PathLike] = ()) -> None:
        """Check that tasks will find what they need.

        Args:
            reads: files and folders that they read.
            folders: where they write; they are made if they are not there.

        Raises:
            UserError: a worker does not see the same.
        """
        ...

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
        """Yield tasks and the results of ``function(task, work)`` as they come, with progress.

        Who leaves the loop early stops the tasks.

        Args:
            tasks: what is to be done; each is begun in this order.
            label: what is being done, as "Decoding".
            total: units of all tasks, such as images.
            weight: returns the units of a task.
            follow: returns the task that a result makes possible, if there is one.
            rescue: takes the place of ``function`` for a task that has ended several workers; it returns None if it
                finds nothing wrong with the task, which is tried again then.

        Raises:
            ClusterLostError: the scheduler is gone.
            UserError: a task ends every worker that takes it.
            Exception: what a task raises.
        """
        ...


class Keeper:
    """Makes each thing once; other threads wait meanwhile."""

    def __init__(self) -> None:
        self._things: dict[str, Any] = {}
        self._lock = threading.Lock()

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned for the first one who asked for this name."""
        with self._lock:
            if name not in self._things:
                self._things[name] = make()
            return self._things[name]


_SECONDS_BETWEEN_LOOKS = 0.1


def wait_for(path: Path, work: Work) -> None:
    """Wait until no process has an unfinished file open, at most for the patience of a task.

    A worker that lost its scheduler stops soon, but not at once; and a file server keeps the locks of a machine that is
    gone for a while.
    """
    deadline = time.monotonic() + work.patience
    while path.exists() and time.monotonic() < deadline:
        try:
            open_alone(path, path).close()
        except UserError:
            work.report(0)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        else:
            return
