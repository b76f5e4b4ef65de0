"""The contract between tasks and what runs them, in this process or on a cluster."""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import open_alone
from pyimagesearch.utils.parallel import cpu_count

PathLike = str | os.PathLike[str]
Task = TypeVar("Task")
Result = TypeVar("Result")

_SECONDS_BETWEEN_LOOKS = 0.1


class Keeper:
    """Makes each thing once, while other threads that ask for it wait."""

    def __init__(self) -> None:
        self._things: dict[str, Any] = {}
        self._lock = threading.Lock()

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the result of the first ``make()`` for this name."""
        with self._lock:
            if name not in self._things:
                self._things[name] = make()
            return self._things[name]


def _ignore(units: int) -> None:
    del units


@dataclass(frozen=True)
class Work:
    """Means that a task gets when it starts; by default those of a task that is called directly.

    Attributes:
        threads: number of threads that it may use.
        report: to be called often, with the number of units that are done. Raises KeyboardInterrupt if the task must
            stop: on Ctrl-C, and when its result is no longer needed.
        keep: ``keep(name, make)`` returns the result of the first ``make()`` for this name in this run and process,
            for things that are slow to load and serve many tasks.
        patience: seconds to wait for a file that an earlier attempt of the task may still hold.
    """

    threads: int = field(default_factory=cpu_count)
    report: Callable[[int], None] = _ignore
    keep: Callable[[str, Callable[[], Any]], Any] = field(default_factory=lambda: Keeper().keep)
    patience: float = 0.0


Function = Callable[[Task, Work], Result]


def one(task: Any) -> int:
    """Return 1, the weight of a task that is itself the unit."""
    del task
    return 1


class Cluster(Protocol):
    """Runs tasks, here or elsewhere.

    Attributes:
        workers: number of tasks that run at a time.
        elsewhere: whether they run in other processes: tasks and results are pickled, and paths must be absolute.
    """

    @property
    def workers(self) -> int: ...  # noqa: D102

    elsewhere: bool

    def check(self, reads: Iterable[PathLike] = (), folders: Iterable[PathLike] = ()) -> None:
        """Check that tasks will find their files.

        Args:
            reads: files and folders that they read.
            folders: folders that they write into; missing ones are created.

        Raises:
            UserError: a worker does not see them.
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
        """Yield each task with the result of ``function(task, work)`` as they finish, and show progress.

        Leaving the loop early stops the tasks.

        Args:
            tasks: started in this order.
            label: title of the progress bar, such as "Decoding".
            total: units of all tasks, such as images.
            weight: returns the units of a task.
            follow: returns the task that a result makes possible, or None.
            rescue: replaces ``function`` for a task that has crashed several workers; returns None if it finds nothing
                wrong with the task, which is then tried again.

        Raises:
            ClusterLostError: the scheduler is gone.
            UserError: a task crashes every worker that takes it.
            Exception: the error of a task.
        """
        ...


def wait_for(path: Path, work: Work) -> None:
    """Wait until no process has an unfinished file open, at most for the patience of a task.

    A worker that has lost its scheduler does not stop at once, and a file server keeps the locks of a machine that is
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
