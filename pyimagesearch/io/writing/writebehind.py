"""Sync a file to disk while rows are still being made, so that the end need not wait for all of it."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

_BYTES = 64 * 2**20


class WriteBehind:
    """Sync a file each time that another 64 MiB were written."""

    def __init__(self) -> None:
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="WriteBehind")
        self._syncing: Future[None] | None = None
        self._waiting = 0

    def wrote(self, file: BinaryIO, count: int) -> None:
        """Count ``count`` more bytes that were written to ``file``."""
        self._waiting += count
        if self._waiting >= _BYTES and (self._syncing is None or self._syncing.done()):
            file.flush()
            self._syncing = self._disk.submit(os.fsync, file.fileno())
            self._waiting = 0

    def stop(self) -> None:
        """Wait for the disk; then the file may be closed."""
        self._disk.shutdown()
