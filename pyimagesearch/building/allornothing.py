"""Make the files of a build all or nothing.

Each task leaves its shard sealed: complete, but under its unfinished name (see `sealing`). Once all are sealed they get
their final names together (see `all_or_nothing`); if anything fails before, no file is left, and if the run is
interrupted the unfinished files stay for a resumed one, which asks `missing_shards` what to do.
"""

import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pyimagesearch.errors import ClusterLostError, StorageError, UserError
from pyimagesearch.io.format.dataset import is_finished
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.shards.names import check_set_output, shard_path
from pyimagesearch.io.shards.uniting import publish_set
from pyimagesearch.utils.atomic import LockedFile, open_alone, partial_path, remove_locked


class ShardTask(Protocol):
    """A task that seals one file: shard ``number``, (index, count), whose final name is ``path``."""

    @property
    def number(self) -> tuple[int, int]: ...  # noqa: D102

    @property
    def path(self) -> Path: ...  # noqa: D102


Task = TypeVar("Task", bound=ShardTask)


def missing_shards(path: Path, count: int, build: str, overwrite: bool, resume: bool) -> list[int] | None:
    """Return the indices of the shards that must be made for a data set; None if it is complete.

    Args:
        path: the data set.
        count: how many shards it is to have.
        build: their mark.
        overwrite: replace an existing data set.
        resume: keep finished files with the same mark, unless ``overwrite``.

    Raises:
        UserError: another file is in the way.
    """
    keeps = resume and not overwrite
    if keeps and is_finished(path, build):
        return None
    check_set_output(path, count, overwrite or resume)
    return [i for i in range(count) if not (keeps and is_finished(shard_path(path, i, count), build))]


@contextlib.contextmanager
def sealing(writer: HDF5DatasetWriter) -> Iterator[None]:
    """Seal a file under its unfinished name when the block ends.

    If Ctrl-C or a remote storage interrupts the block, the file stays unfinished; on any other error it is removed.
    """
    try:
        yield
        writer.seal()
        writer.suspend()
    except (KeyboardInterrupt, StorageError):
        writer.suspend()
        raise
    except BaseException:
        writer.discard()
        raise


def all_or_nothing(
    tasks: Sequence[Task], run: Generator[tuple[Task, Any], None, None], counts: Mapping[Path, int], overwrite: bool
) -> Iterator[tuple[Task, Any]]:
    """Yield the tasks and results of a cluster, then give all files their final names.

    On Ctrl-C, and if the cluster is lost or a remote storage does not answer, unfinished files stay for a resumed run;
    on any other error they are removed.

    Args:
        tasks: those that ``run`` does.
        counts: number of shards of each data set, including those whose shards are complete already.
        overwrite: replace existing data sets.
    """
    with contextlib.ExitStack() as locks:
        for path, count in counts.items():
            if count > 1:  # the unfinished form of the data set's own name is free until the end: it locks the build
                lock = locks.enter_context(open_alone(partial_path(path), path))
                locks.callback(remove_locked, partial_path(path), lock)
        try:
            files: list[LockedFile] = []
            with contextlib.ExitStack() as sealed, contextlib.closing(run):
                for task, result in run:
                    if task.number[1] == 1:
                        files.append(sealed.enter_context(open_alone(partial_path(task.path), task.path)))
                    yield task, result
                for file in files:
                    sealed.enter_context(file.closing_around())  # Windows renames no open file
                for path, count in counts.items():
                    publish_set(path, count, overwrite)
        except (KeyboardInterrupt, GeneratorExit, ClusterLostError, StorageError):
            raise
        except BaseException:
            _remove_unfinished(task.path for task in tasks)
            raise


def _remove_unfinished(paths: Iterable[Path]) -> None:
    """Remove the unfinished forms of files, except those that another process is writing."""
    for path in paths:
        partial = partial_path(path)
        if partial.exists():
            with contextlib.suppress(UserError):
                remove_locked(partial, open_alone(partial, path))
