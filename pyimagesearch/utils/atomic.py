"""Atomic files: whole under their final name, or absent from it.

POSIX renames and removes files that are open, and its locks are mere advice. Windows refuses to do so and enforces
locks, against HDF5 in the same process too: there an unfinished file is locked by another one beside it, and closed
before its name changes.
"""

import contextlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PathLike = str | os.PathLike[str]

_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows changes line ends
_SECONDS_TO_LET_GO = 0.5


def partial_path(path: PathLike) -> Path:
    """Return where the unfinished form of ``path`` lives: beside it, marked ``.partial``."""
    path = Path(path)
    return path.with_name(f"{path.name}.partial")


def check_output(path: PathLike, overwrite: bool = False, argument: str = "output") -> Path:
    """Return ``path`` if a file may be written there.

    Raises:
        UserError: the file exists and ``overwrite`` is False, or there can be no such file.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{argument}: must be a file's name; received the folder {path}")
    if path.exists() and not overwrite:
        raise UserError(
            f"{argument}: {path} exists; existing files are kept; choose another name, or pass overwrite=True to "
            "replace it"
        )
    return path


class LockedFile(io.BufferedRandom):
    """An unfinished file that this process alone writes, for as long as it is open; see `open_alone`."""

    def __init__(self, partial: PathLike) -> None:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
        super().__init__(io.FileIO(descriptor, "r+b"), 2**16)
        self._path = os.fspath(partial)
        self._lock: int | None = None

    def lock(self) -> None:
        """Lock the file.

        Raises:
            OSError: another process holds the lock, or has renamed the file meanwhile.
        """
        if fcntl:
            fcntl.flock(self, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(self._path).st_ino != os.fstat(self.fileno()).st_ino:
                raise FileNotFoundError(self._path)
        elif self._lock is None:
            import msvcrt

            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_TEMPORARY", 0))
            try:
                msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            except OSError:
                os.close(lock)
                raise
            self._lock = lock

    def close(self) -> None:
        """Close the file and give up the lock."""
        try:
            super().close()
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    @contextlib.contextmanager
    def closing_around(self) -> Iterator[None]:
        """Close the file when the system lets it: after the block, or before; it is locked until the block ends."""
        if fcntl:
            try:
                yield
                fcntl.flock(self, fcntl.LOCK_UN)  # forked children may still have it open
            finally:
                self.close()
        else:
            lock, self._lock = self._lock, None
            try:
                self.close()
                yield
            finally:
                if lock is not None:
                    os.close(lock)


def open_alone(partial: PathLike, path: PathLike) -> LockedFile:
    """Open the unfinished form of ``path`` and lock it for as long as it stays open.

    A child that a killed process was just starting may hold the lock a little longer: wait for it.

    Raises:
        UserError: it cannot be written, or another process is writing it.
    """
    try:
        Path(partial).parent.mkdir(parents=True, exist_ok=True)
        file = LockedFile(partial)
    except OSError as error:
        raise UserError(
            f"output_path: {os.fspath(path)} cannot be written ({error.strerror}); choose a place where you may write"
        ) from error
    deadline = time.monotonic() + _SECONDS_TO_LET_GO
    while True:
        try:
            file.lock()
            return file
        except OSError as error:
            if isinstance(error, FileNotFoundError) or time.monotonic() > deadline:
                file.close()
                raise UserError(
                    f"output_path: another process is writing {os.fspath(path)} right now; wait for it, or choose "
                    "another name"
                ) from error
            time.sleep(_SECONDS_TO_LET_GO / 20)


def publish(partial: PathLike, path: PathLike, locked: LockedFile | None = None) -> None:
    """Give a finished file its final name, replacing what was there, once it is on disk.

    Args:
        locked: the file as `open_alone` opened it; it is closed.
    """
    with open(partial, "r+b") as file:  # Windows syncs no file that is open for reading alone
        os.fsync(file.fileno())
    with locked.closing_around() if locked else contextlib.nullcontext():
        os.replace(partial, path)
    with contextlib.suppress(OSError):  # some systems cannot sync a folder
        folder = os.open(Path(path).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_locked(partial: PathLike, locked: LockedFile) -> None:
    """Remove an unfinished file that `open_alone` opened, and close it."""
    with contextlib.suppress(OSError), locked.closing_around():  # a full disk cannot take what is still buffered
        Path(partial).unlink(missing_ok=True)


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yield a temporary name that becomes ``path`` when the block ends without an exception.

    It has the suffix of ``path``, as savers choose a format by it.
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
