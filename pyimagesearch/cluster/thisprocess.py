"""Run tasks in this process, one at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial

from pyimagesearch.cluster.tasks import Function, Keeper, PathLike, Result, Task, Work, one
from pyimagesearch.utils.parallel import cpu_count
from pyimagesearch.utils.progress import Meter


class ThisProcess:
    """This process as a `tasks.Cluster`.

    Args:
        threads: number that a task may use; all processors if None.
    """

    workers, elsewhere = 1, False

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or cpu_count()

    def check(self, reads: Iterable[PathLike] = (), folders: Iterable[PathLike] = ()) -> None:
        """Do nothing: tasks see the files of this process."""

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
        """Yield tasks and results in order; ``rescue`` is not used, as a crash ends this process too."""
        del rescue
        waiting, done, keeper = deque(tasks), 0, Keeper()
        with Meter(total, label) as meter:
            while waiting:
                task = waiting.popleft()
                result = function(task, Work(self._threads, partial(_show, meter, done), keeper.keep))
                done += weight(task)
                meter.show(done)
                if follow and (next_task := follow(task, result)) is not None:
                    waiting.append(next_task)
                yield task, result


def _show(meter: Meter, before: int, units: int) -> None:
    meter.show(before + units)
