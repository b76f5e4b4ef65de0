"""Has tasks make the shards of data sets, which then appear under their names together."""

import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pyimagesearch.errors import ClusterLostError, StorageError, UserError
from pyimagesearch.io.format.dataset import is_finished
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.shards.names import check_set_output, shard_path
from pyimagesearch.io.shards.uniting import publish_set
from pyimagesearch.utils.atomic import open_alone, partial_path


class ShardTask(Protocol):
    """A task that leaves one file sealed under its unfinished name.

    Attributes:
        number: (index, count).
        path: the file's final name.
    """

    @property
    def number(self) -> tuple[int, int]: ...  # noqa: D102

    @property
    def path(self) -> Path: ...  # noqa: D102


Made = TypeVar("Made", bound=ShardTask)


def missing_shards(path: Path, count: int, build: str, overwrite: bool, resume: bool) -> list[int] | None:
    """Return the numbers of the shards of a set that are to be made; None if the set is complete.

    Args:
        path: the plain name of the set.
        count: how many shards it has.
        build: the mark that they get.
        overwrite: whether an existing set is to be replaced.
        resume: whether finished files of the same mark are kept, unless they are to be replaced.

    Raises:
        UserError: another file is in the way.
    """
    keeps = resume and not overwrite
    if keeps and is_finished(path, build):
        return None
    check_set_output(path, count, overwrite or resume)
    return [n for n in range(count) if not (keeps and is_finished(shard_path(path, n, count), build))]


@contextlib.contextmanager
def sealing(writer: HDF5DatasetWriter) -> Iterator[None]:
    """Seal a file under its unfinished name when the block ends.

    On Ctrl-C, and where a remote storage does not answer, it stays there unfinished; on any other error it is removed.
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


def made_together(
    tasks: Sequence[Made], run: Generator[tuple[Made, Any], None, None], sets: Mapping[Path, int], overwrite: bool
) -> Iterator[tuple[Made, Any]]:
    """Yield what a cluster yields for the shards of sets; then give all files their final names.

    On Ctrl-C, and where the cluster is lost or a remote storage does not answer, unfinished files stay, for a run that
    goes on; on any other error they are removed.

    Args:
        tasks: which ``run`` has done.
        sets: number of shards by the plain name of each set, also of those whose shards are all there.
        overwrite: replace existing sets.
    """
    with contextlib.ExitStack() as locks:
        for path, count in sets.items():
            if count > 1:  # until all is done nobody needs the unfinished form of the plain name
                locks.enter_context(open_alone(partial_path(path), path))
                locks.callback(partial_path(path).unlink)
        try:
            with contextlib.ExitStack() as sealed, contextlib.closing(run):
                for task, result in run:
                    if task.number[1] == 1:
                        sealed.enter_context(open_alone(partial_path(task.path), task.path))
                    yield task, result
                for path, count in sets.items():
                    publish_set(path, count, overwrite)
        except (KeyboardInterrupt, GeneratorExit, ClusterLostError, StorageError):
            raise
        except BaseException:
            _remove_unfinished(task.path for task in tasks)
            raise


def _remove_unfinished(paths: Iterable[Path]) -> None:
    """Remove the unfinished forms of files, but for those that another process is writing."""
    for path in paths:
        partial = partial_path(path)
        if partial.exists():
            with contextlib.suppress(UserError), open_alone(partial, path):
                partial.unlink()
