"""Files that are either whole or not there under their final name."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pyimagesearch.errors import UserError

PathLike = str | os.PathLike[str]


_SECONDS_TO_LET_GO = 0.5


def partial_path(path: PathLike) -> Path:
    """Return where the unfinished form of ``path`` lives: beside it, marked ``.partial``."""
    path = Path(path)
    return path.with_name(f"{path.name}.partial")


def check_output(path: PathLike, overwrite: bool = False, argument: str = "output") -> Path:
    """Return ``path`` when a file may be written there.

    Raises:
        UserError: the file exists and ``overwrite`` is False, or there can be no such file.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{argument}: must be a file's name; received the folder {path}")
    if path.exists() and not overwrite:
        raise UserError(
            f"{argument}: {path} exists; existing files are kept unless you say otherwise: "
            "choose another name, or pass --force (overwrite=True) to replace it"
        )
    return path


def open_alone(partial: PathLike, path: PathLike) -> BinaryIO:
    """Open the unfinished form of ``path`` and lock it for as long as it stays open.

    Raises:
        UserError: it cannot be written, or another process is writing it.
    """
    try:
        Path(partial).parent.mkdir(parents=True, exist_ok=True)
        number = os.open(partial, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise UserError(
            f"output_path: {os.fspath(path)} cannot be written ({error.strerror}); choose a place where you may write"
        ) from error
    file = os.fdopen(number, "r+b", buffering=2**16)
    with contextlib.suppress(ImportError):  # Windows has no fcntl, and lets no other process rename
        try:
            _lock(file)
            renamed = os.stat(partial).st_ino != os.fstat(file.fileno()).st_ino
        except OSError:
            renamed = True
        if renamed:
            file.close()
            raise UserError(
                f"output_path: another process is writing {os.fspath(path)} right now; "
                "wait for it, or choose another name"
            )
    return file


def _lock(file: BinaryIO) -> None:
    """Lock a file, which a process that was just killed may hold for a moment: by a child that it was starting.

    Raises:
        BlockingIOError: another process has it locked.
    """
    import fcntl

    deadline = time.monotonic() + _SECONDS_TO_LET_GO
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_TO_LET_GO / 20)


def publish(partial: PathLike, path: PathLike, locked: BinaryIO | None = None) -> None:
    """Give a finished file its final name, replacing what was there, once it is on disk.

    Args:
        locked: the file as `open_alone` opened it, to be unlocked for its readers.
    """
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)
    if locked is not None:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(locked, fcntl.LOCK_UN)
    with contextlib.suppress(OSError):  # some systems cannot sync a folder
        folder = os.open(Path(path).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yield a temporary name that becomes ``path`` when the block ends without an exception.

    The temporary name keeps the suffix, as savers choose a format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.partial{path.suffix}")
    try:
        yield temporary
        publish(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: PathLike, content: Any) -> None:
    """Write ``content`` as readable JSON, atomically."""
    import json

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8", "backslashreplace")
