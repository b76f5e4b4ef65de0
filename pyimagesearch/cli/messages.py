"""Output of a script: the chapters of its story, the files that it wrote, the table at its end."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from pyimagesearch.cli.running import Running
from pyimagesearch.utils.progress import is_coloured
from pyimagesearch.utils.text import aligned, human_bytes, printable


def info(message: str) -> None:
    """Print one chapter of a script's story."""
    print(f"[INFO] {message}", flush=True)


def wrote(*paths: str | os.PathLike[str]) -> None:
    """Name the files that a script wrote, with their sizes."""
    for path in map(Path, paths):
        info(f"wrote {path} ({human_bytes(path.stat().st_size)})")


def table(header: Sequence[str], *rows: Sequence[str]) -> None:
    """Print a script's closing table, also with ``--quiet``; its header is bold on a terminal with colours."""
    first, *others = aligned([[printable(cell) for cell in row] for row in (header, *rows)])
    closing("\n".join([f"\033[1m{first}\033[0m" if is_coloured(_end()) else first, *others]))


def closing(text: str) -> None:
    """Print what stands at a script's end instead of a table, also with ``--quiet``."""
    print(f"\n{text}", file=_end(), flush=True)


def screen() -> TextIO:
    """Return the stream for results that are printed with ``--quiet``, too."""
    return Running.current.screen if Running.current else sys.stdout


def verbosity() -> int:
    """Return ``verbose`` for Keras: 1, a bar in colours; 2, a line an epoch; or 0."""
    if Running.current and Running.current.is_silent:
        return 0
    return 1 if is_coloured(sys.stdout) else 2


def _end() -> TextIO:
    running = Running.current
    return running.screen if running and running.quiet and not running.json else sys.stdout


class _Handler(logging.Handler):
    """Prints the library's records as lines of the story: warnings to stderr, all else to stdout."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        super().__init__()
        self._translate = translate

    def emit(self, record: logging.LogRecord) -> None:
        if Running.current is None or not Running.current.is_silent:
            stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
            print(f"[INFO] {self._translate(record.getMessage())}", file=stream, flush=True)


@contextlib.contextmanager
def library_heard(translate: Callable[[str], str] = str) -> Iterator[None]:
    """Print what the library logs until the block ends; blocks may lie within each other.

    Args:
        translate: turns arguments of Python into options and settings.
    """
    logger = logging.getLogger("pyimagesearch")
    if any(isinstance(handler, _Handler) for handler in logger.handlers):
        yield
        return
    handler, level = _Handler(translate), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
