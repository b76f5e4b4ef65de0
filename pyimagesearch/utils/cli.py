"""Former names of `pyimagesearch.cli`, for the examples."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyimagesearch.cli import program
from pyimagesearch.cli.messages import info, wrote
from pyimagesearch.cli.options import ArgumentParser, positive_int

__all__ = ["ArgumentParser", "info", "positive_int", "run", "wrote"]


def run(main: Callable[[], Any]) -> int:
    """Call ``main`` and return the exit code."""
    return program.run(main, Path(sys.argv[0]).stem, is_process=main.__module__ == "__main__")
