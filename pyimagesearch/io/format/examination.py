"""The process in which strangers' HDF5 files are opened first; see `pyimagesearch.io.format.sandbox`.

It may be killed by what it reads: that is what it is for.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import h5py

from pyimagesearch.io.format.sandbox import LIMIT_BYTES, LIMIT_SECONDS
from pyimagesearch.io.format.shardtable import NAME as TABLE
from pyimagesearch.io.format.shardtable import is_united, read_table
from pyimagesearch.io.format.untrusted import open_dataset, source_files

NAMES = (
    "shards", "images", "features", "feature", "jpeg", "jpeg_ends", "labels", "label_names", "paths", "checksums",
    "channel_sums",
)  # fmt: skip


_STRINGS_AT_ONCE = 10_000


def serve() -> None:
    """Examine files whose paths come as lines of JSON; answer each by a line: what is wrong, or ""."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(examine(json.loads(line))), flush=True)


def examine(path: str, seen: set[str] | None = None) -> str:
    """Read all of a file's structure that the readers of this package ever touch, and none of its bulk.

    Args:
        seen: files that need no second look, to which this one is added.

    Returns:
        What is wrong if it would exhaust the memory. Other errors are left to the reader, who has
        better words for them.
    """
    seen = set() if seen is None else seen
    seen.add(path)
    _allow_more_time()
    looks: list[Callable[[h5py.File], Any]] = [list, lambda file: dict(file.attrs)]
    looks += [partial(_touch, name=name, seen=seen) for name in NAMES]
    with contextlib.suppress(OSError), h5py.File(path, "r", locking=False) as file:
        if any(_exhausts_memory(look, file) for look in looks):
            return f"would take more than {LIMIT_BYTES / 2**30:.0f} GiB of memory to open"
    return ""


def _exhausts_memory(look: Callable[[h5py.File], Any], file: h5py.File) -> bool:
    try:
        look(file)
    except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, it will be met again
        return isinstance(error, MemoryError) or "alloc" in str(error)
    return False


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
                examine(path, seen)
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


def _allow_more_time() -> None:
    """From now on, some seconds of the processor; the kernel ends the process after them."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + LIMIT_SECONDS, hard))


def _limit_memory() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + LIMIT_BYTES, hard))
