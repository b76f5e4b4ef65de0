"""Reads run records: what was done so far, and by which run last."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.runs import recordfile
from pyimagesearch.runs.run import Run

_STARTED = ("run", "time", "script", "command", "folder", "config", "seed", "versions", "hardware")
_ENDED = ("seconds", "status", "error", "backend", "devices", "inputs", "outputs", "results")


class History(list[Run]):
    """Runs in the order of their starts.

    Attributes:
        unreadable: how many lines of the record were no events, as what a full disk cut off.
    """

    unreadable = 0


def read_runs(path: str | os.PathLike[str]) -> History:
    """Return the runs of a record; lines that cannot be used are skipped and counted.

    Args:
        path: the record, or the folder that it is in.

    Raises:
        UserError: it cannot be read, or a newer pyimagesearch wrote it.
    """
    path = Path(path)
    path = path / recordfile.NAME if path.is_dir() else path
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UserError(
            f"run record: {path} cannot be read ({error.strerror}); run a script first, or check the path"
        ) from error
    runs: dict[str, Run] = {}
    unreadable = 0
    for line in filter(None, lines):
        try:
            _take(json.loads(line), runs, path)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            if isinstance(error, UserError):
                raise
            unreadable += 1
    history = History(runs.values())
    history.unreadable = unreadable
    return history


def _take(event: dict[str, Any], runs: dict[str, Run], path: Path) -> None:
    if event["schema"] > recordfile.SCHEMA:
        raise UserError(
            f"run record: {path} must be of schema {recordfile.SCHEMA} or older; received {event['schema']}; install a "
            "newer pyimagesearch"
        )
    name = event["run"]
    if event["event"] == "start":
        runs[name] = Run(**{field: event[field] for field in _STARTED})
    elif event["event"] == "end":
        runs[name] = runs[name]._replace(ended=event["time"], **{field: event[field] for field in _ENDED})
    else:
        raise ValueError(f"unknown event {event['event']}")


def latest(runs: Sequence[Run], script: str, status: str | None = "done") -> Run | None:
    """Return the last run of a script that ended with ``status`` (None for any), or None.

    Args:
        script: dotted name of the module, as "dogs_vs_cats.train_alexnet".
    """
    return next((run for run in reversed(runs) if run.script == script and status in (None, run.status)), None)


def previous(runs: Sequence[Run], script: str, status: str | None = "done") -> Run | None:
    """Return the run before `latest`, of the same script and status, or None."""
    found = latest(runs, script, status)
    return latest(runs[: runs.index(found)], script, status) if found else None
