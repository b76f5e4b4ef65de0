"""Threads that work ahead of their consumer, within bounded memory."""

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cpu_count() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_opencv_to_one_thread() -> None:
    """Let OpenCV work on the calling thread alone; two levels of threads get into each other's way."""
    import cv2

    cv2.setNumThreads(1)


@contextlib.contextmanager
def ctrl_c_held_back() -> Iterator[None]:
    """Let the processes that are started meanwhile leave Ctrl-C to this one: it is held back in them for good."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int) -> Iterator[Result]:
    """Yield ``function(item)`` in the order of ``items``, computed on ``threads`` threads.

    At most ``ahead`` results wait for the consumer, so memory is bounded however long ``items`` is.
    An exception of ``function`` is raised in its item's place, and the work behind it is dropped.
    """
    source = iter(items)
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="map_ahead")
    try:
        for item in source:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
