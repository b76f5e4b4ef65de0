"""Open the HDF5 files of strangers in another process first, and in this one only if that process lives.

A damaged or hostile file can make the HDF5 library loop or crash inside a call that nothing in the same process can
stop. So a helper process opens such a file first, with limits of processor time and, on Linux, of memory. It starts
with the first file, in about a quarter of a second; after that a new file costs about a millisecond, and the same file
nothing. Windows knows no such limits: files are opened there at once.

Files that begin as ours do are opened without it, but for those that are described, verified or converted.
"""

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.labels import read_labels, read_paths
from pyimagesearch.io.foreign.opening import open_hdf5
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_structure
from pyimagesearch.io.foreign.rows import stored_rows
from pyimagesearch.io.format.layout import DATASETS, FORMAT
from pyimagesearch.io.format.shardtable import NAME as TABLE
from pyimagesearch.io.format.shardtable import is_united, read_table
from pyimagesearch.io.format.untrusted import open_dataset, read_text, source_files

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

LIMIT_SECONDS, LIMIT_BYTES = 2, 2**30
_COMMAND = "from pyimagesearch.io.format.sandbox import serve; serve()"
_PATIENCE_SECONDS = 60  # for a disk that does not answer; a loop is ended much sooner
_SETTLED_NS = 50_000_000  # clocks of file systems tick: a file may change again in the same tick
_STRINGS_AT_ONCE = 10_000
_BYTES_PER_SECOND = 2**24  # of compressed files, at least
_LARGEST_LOOK = 2**24

_lock = threading.Lock()
_known: dict[tuple[Any, ...], str] = {}
_helper: "_Helper | None" = None


def try_in_sandbox(path: str | os.PathLike[str], choices: Choices | None = None) -> None:
    """Return if a file can be opened without harm.

    Args:
        choices: what the user tells of a file of another program.

    Raises:
        UserError: opening it hangs, crashes, or takes too much memory.
    """
    if resource is None or not os.path.isfile(path):
        return
    choices = choices or Choices()
    files = [path, *filter(os.path.isfile, (choices.labels_file, choices.names_file))]
    identity = tuple(map(_identity, files))
    with _lock:
        complaint = _known.get((identity, choices))
        if complaint is None:
            complaint = _ask(os.path.abspath(os.fspath(path)), choices)
            if time.time_ns() - max(changed for *_, changed in identity) > _SETTLED_NS:
                _known[identity, choices] = complaint
    if complaint:
        raise UserError(
            f"data set: {os.fspath(path)} is damaged, or made to do harm: it {complaint}; a helper process tried, "
            "and nothing else was touched; build it again, or do not trust it"
        )


def _identity(path: str | os.PathLike[str]) -> tuple[int, ...]:
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _ask(path: str, choices: Choices) -> str:
    global _helper  # noqa: PLW0603, RUF100 - one helper a process
    if _helper is None or not _helper.is_mine():
        _helper = _Helper()
    try:
        return _helper.ask(path, choices)
    except EOFError:
        how, _helper = _helper.end(), None
        return how


class _Helper:
    """The helper process, as this process sees it."""

    def __init__(self) -> None:
        package = str(Path(__file__).resolve().parents[3])
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        self._owner = os.getpid()
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND], env=environment, text=True, encoding="utf-8", process_group=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
            )  # fmt: skip
            atexit.register(self.end)
            try:
                self._answer()
            except EOFError:
                self.end()
                complaints.seek(0)
                last = complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
                raise RuntimeError(
                    f"{sys.executable} could not start the process that opens HDF5 files first: {last}"
                ) from None

    def is_mine(self) -> bool:
        """Return whether this process started it; a fork must not share its pipes."""
        return self._owner == os.getpid()

    def ask(self, path: str, choices: Choices) -> str:
        """Return what is wrong with a file, or "".

        Raises:
            EOFError: the file was the end of the helper.
        """
        assert self._process.stdin
        folder = os.getcwd() if choices.labels_file or choices.names_file else os.sep
        try:
            self._process.stdin.write(json.dumps([folder, path, asdict(choices)]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if waiting.select(_PATIENCE_SECONDS) else ""
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


def serve() -> None:
    """Be the helper process: open files, each told by a line of JSON; answer what is wrong with each, or ""."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    _answer("ready")
    for line in sys.stdin:
        folder, path, choices = json.loads(line)
        with contextlib.suppress(OSError):
            os.chdir(folder)
        _answer(_try(path, Choices(**choices)))


def _answer(text: str) -> None:
    sys.stdout.write(json.dumps(text) + "\n")
    sys.stdout.flush()


def _try(path: str, choices: Choices, seen: set[str] | None = None) -> str:
    """Read all of a file's structure that the readers of this package ever touch, and none of its bulk.

    Args:
        choices: what the user tells.
        seen: files that need no second look, to which this one is added.

    Returns:
        What is wrong if it would exhaust the memory. Other errors are left to the reader, who has
        better words for them.
    """
    seen = set() if seen is None else seen
    seen.add(path)
    _allow_more_time()
    looks: list[Callable[[h5py.File], Any]] = [list, lambda file: dict(file.attrs)]
    with contextlib.suppress(OSError), open_hdf5(path) as file:
        if _is_ours(file):
            looks += [partial(_touch, name=name, seen=seen) for name in DATASETS]
        else:
            looks += [partial(_touch_planned, path=path, choices=choices)]
        if any(_exhausts_memory(look, file) for look in looks):
            return f"would take more than {LIMIT_BYTES / 2**30:.0f} GiB of memory to open"
    return ""


def _is_ours(file: h5py.File) -> bool:
    try:
        return read_text(file, "format") == FORMAT
    except UserError:
        return False


def _exhausts_memory(look: Callable[[h5py.File], Any], file: h5py.File) -> bool:
    try:
        look(file)
    except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, the reader will meet it again
        cause = error.__cause__ or error
        return isinstance(cause, MemoryError) or "alloc" in str(cause)
    return False


def _touch_planned(file: h5py.File, path: str, choices: Choices) -> None:
    """Read what a file of another program holds as its readers will, but for the bulk of its images."""
    plan = plan_structure(path, choices, _allow_more_time)
    rows = stored_rows(file, plan)
    for read in (read_labels, read_paths):
        _allow_more_time(os.path.getsize(plan.labels.file or path))
        read(plan)
    if rows.band_bytes <= _LARGEST_LOOK:
        _allow_more_time()
        rows.read([0])
        rows.read([len(plan) - 1])


def _touch(file: h5py.File, name: str, seen: set[str]) -> None:
    """Look up what lies where: the index of chunks, and strings of any length, which lie in heaps."""
    shards = {shard.file for shard in read_table(file)} if is_united(file) and name != TABLE else None
    dataset = open_dataset(file, name, shards)
    if dataset is None:
        return
    if dataset.is_virtual:
        for source in sorted(source_files(dataset) - {"."}):
            path = os.path.join(os.path.dirname(file.filename), source)
            if path not in seen:
                _try(path, Choices(), seen)
    if dataset.size and dataset.ndim:
        dataset[:1]
        dataset[-1:]
    if dataset.chunks is not None:
        dataset.id.get_num_chunks()
        if dataset.id.get_num_chunks():
            dataset.id.get_chunk_info(dataset.id.get_num_chunks() - 1)
    text = h5py.check_string_dtype(dataset.dtype)
    if h5py.check_vlen_dtype(dataset.dtype) or (text and not (text.length and dataset.is_virtual)):
        for start in range(0, len(dataset), _STRINGS_AT_ONCE):
            dataset[start : start + _STRINGS_AT_ONCE]
            _allow_more_time()


def _allow_more_time(nbytes: int = 0) -> None:
    """Allow some more seconds of the processor, and what it takes to read bytes; the kernel ends the process then."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + nbytes / _BYTES_PER_SECOND) + LIMIT_SECONDS, hard)
    )


def _limit_memory() -> None:
    """Limit the memory where the system says how much is used now, which Linux alone does."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + LIMIT_BYTES, hard))
