"""Threads that work ahead of their consumer, in bounded memory."""

import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cpu_count() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OneOpenCVThread(contextlib.AbstractContextManager):
    """Keep OpenCV from starting threads of its own, which would compete with ours, until the block ends.

    Blocks may overlap, on any threads; after the last one OpenCV has as many threads as before the first.
    """

    _lock = threading.Lock()
    _blocks = _before = 0

    def __enter__(self) -> None:
        import cv2

        with self._lock:
            if not OneOpenCVThread._blocks:
                OneOpenCVThread._before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            OneOpenCVThread._blocks += 1

    def __exit__(self, *_: object) -> None:
        import cv2

        with self._lock:
            OneOpenCVThread._blocks -= 1
            if not OneOpenCVThread._blocks:
                cv2.setNumThreads(OneOpenCVThread._before)


@contextlib.contextmanager
def ctrl_c_held_back() -> Iterator[None]:
    """Block Ctrl-C in this process, and for good in the processes that it starts in the block."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int) -> Iterator[Result]:
    """Yield ``function(item)`` in the order of ``items``, computed on ``threads`` threads, with OpenCV on one each.

    At most ``ahead`` results wait for the consumer, so memory is bounded however long ``items`` is. An exception of
    ``function`` is raised in its item's place; later items are dropped.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="map_ahead")
    with OneOpenCVThread():
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
