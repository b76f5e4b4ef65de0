"""Lets one attempt of a task after another at a file."""

import time
from pathlib import Path

from pyimagesearch.cluster.tasks import Work
from pyimagesearch.errors import UserError
from pyimagesearch.io.atomic import open_alone

_SECONDS_BETWEEN_LOOKS = 0.1


def wait_for(path: Path, work: Work) -> None:
    """Wait until no process has an unfinished file open, at most for the patience of a task.

    A worker that lost its scheduler stops soon, but not at once; and a file server keeps the locks of a machine that is
    gone for a while.
    """
    deadline = time.monotonic() + work.patience
    while path.exists() and time.monotonic() < deadline:
        try:
            open_alone(path, path).close()
        except UserError:
            work.report(0)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        else:
            return
