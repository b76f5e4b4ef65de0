"""Lets no HDF5 file into this process before another process has opened it and lived.

The HDF5 library can be made to loop or crash by a damaged or hostile file, inside a call that nothing in
the same process can stop. So a helper process opens every file first, with limits of processor time and
memory. It starts at the first file, in about a quarter of a second; after that a file costs about a
millisecond, and the same file nothing.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pyimagesearch.errors import UserError

LIMIT_SECONDS, LIMIT_BYTES = 2, 2**30


_COMMAND = "from pyimagesearch.io.format.examination import serve; serve()"


_PATIENCE_SECONDS = 60  # for a disk that does not answer; a loop is ended much sooner


_SETTLED_NS = 50_000_000  # clocks of file systems tick: a file may change again in the same tick


_lock = threading.Lock()


_known: dict[tuple[int, ...], str] = {}


_helper: "_Helper | None" = None


def vet(path: str | os.PathLike[str]) -> None:
    """Return if a file can be opened without harm.

    Raises:
        UserError: opening it hangs, crashes, or takes too much memory.
    """
    if os.name != "posix":
        return  # no limits there
    identity = _identity(path)
    with _lock:
        complaint = _known.get(identity)
        if complaint is None:
            complaint = _ask(os.path.abspath(os.fspath(path)))
            if time.time_ns() - identity[-1] > _SETTLED_NS:
                _known[identity] = complaint
    if complaint:
        raise UserError(
            f"data set: {os.fspath(path)} is damaged, or made to do harm: it {complaint}; a helper process tried, "
            "and nothing else was touched; build it again, or do not trust it"
        )


def trust(path: str | os.PathLike[str]) -> None:
    """Remember that this process made a file itself."""
    _known[_identity(path)] = ""


def _identity(path: str | os.PathLike[str]) -> tuple[int, ...]:
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _ask(path: str) -> str:
    global _helper  # noqa: PLW0603, RUF100 - one helper a process
    if _helper is None or not _helper.is_mine():
        _helper = _Helper()
    try:
        return _helper.ask(path)
    except EOFError:
        how, _helper = _helper.end(), None
        return how


class _Helper:
    """The helper process."""

    def __init__(self) -> None:
        package = str(Path(__file__).resolve().parents[3])
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND], env=environment, text=True, encoding="utf-8", process_group=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        atexit.register(self.end)
        if self._answer() != "ready":
            raise RuntimeError(f"{sys.executable} could not start the process that opens HDF5 files first")

    def is_mine(self) -> bool:
        """Whether this process started it; a fork must not share its pipes."""
        return self._owner == os.getpid()

    def ask(self, path: str) -> str:
        """Return what is wrong with a file, or "".

        Raises:
            EOFError: the file was the end of the helper.
        """
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(path) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        waiting = select.poll()  # which takes any number of a file, where select takes those below 1024
        waiting.register(self._process.stdout, select.POLLIN)
        line = self._process.stdout.readline() if waiting.poll(1000 * _PATIENCE_SECONDS) else ""
        if not line:
            raise EOFError
        return str(json.loads(line))

    def end(self) -> str:
        """End the process, and say in words how it went."""
        atexit.unregister(self.end)
        if not self.is_mine():
            return ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        if code == -signal.SIGXCPU:
            return f"keeps the HDF5 library busy for more than {LIMIT_SECONDS} s"
        if code == -signal.SIGKILL:
            return f"did not open within {_PATIENCE_SECONDS} s"
        return f"crashes the HDF5 library ({signal.Signals(-code).name if code < 0 else f'exit code {code}'})"
