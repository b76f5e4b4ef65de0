"""The two lines that one run leaves in its record."""

import os
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyimagesearch.runs import recordfile, surroundings
from pyimagesearch.runs.identity import identify
from pyimagesearch.utils import terminal
from pyimagesearch.utils.jsonvalues import as_json


class Recorder:
    """Writes the start and the end of one run of a script.

    A folder that is not there when a run starts gets both lines at its end: if it succeeds, or if it left files there.

    Args:
        script: dotted name of its module.
        arguments: its command line.
        new_folder: whether a run that succeeds may create the folder.
        uses_keras: whether Keras, if it is imported, was used by this run.
    """

    def __init__(self, script: str, arguments: list[str], new_folder: bool = True, uses_keras: bool = True) -> None:
        self.recorded = False
        """Whether the end is on disk."""
        self.folder = Path()
        """Where the run is recorded, once it has begun."""
        self.new_folder = new_folder
        self._script, self._arguments, self._uses_keras = script, arguments, uses_keras
        self._began = time.perf_counter()
        self._start: dict[str, Any] | None = None
        self._ended = self._start_written = False

    @property
    def has_begun(self) -> bool:
        """Return whether the start is known."""
        return self._start is not None

    def begin(self, folder: Path, config: dict[str, Any] | None, seed: Any) -> None:
        """Write the start; of several calls the first counts.

        Args:
            folder: of the record; relative ones belong to the folder that the script runs in now.
            config: "module" and "settings".
            seed: of the run, or None.
        """
        if self._start is not None:
            return
        self.folder = folder.absolute()
        self._start = {
            **_stamp("start", secrets.token_hex(8)),
            "script": self._script,
            "command": ["python", "-m", self._script, *self._arguments],
            "folder": os.getcwd(),
            "config": config,
            "seed": seed,
            "versions": surroundings.versions(),
            "hardware": surroundings.hardware(),
        }
        self._start_written = self.folder.is_dir() and not self._complaint(self._start)

    def end(self, status: str, error: str | None = None, result: Any = None) -> None:
        """Write the end, if there was a start; of several calls the first counts.

        Args:
            status: "done", "failed" or "stopped".
            error: what went wrong.
            result: what ``main`` returned.
        """
        if self._start is None or self._ended:
            return
        results, done = dict(result or {}), status == "done"
        files, inputs = results.pop("files", ()), results.pop("inputs", ())
        end = {
            **_stamp("end", self._start["run"]),
            "seconds": round(time.perf_counter() - self._began, 3),
            "status": status,
            "error": error,
            "backend": surroundings.backend() if self._uses_keras else None,
            "devices": surroundings.devices() if self._uses_keras and done else [],  # who asks must have time
            "inputs": [identify(path) for path in inputs],
            "outputs": [identify(path) for path in files],
            "results": results,
        }
        self._ended = True
        if self._is_welcome(done):
            there = self._start_written and (self.folder / recordfile.NAME).exists()
            complaint = self._complaint(*([end] if there else [self._start, end]))
            self.recorded = not complaint
            if complaint and done and not terminal.is_quiet():  # what failed has said enough
                print(f"[INFO] {complaint}", file=sys.stderr, flush=True)

    def _is_welcome(self, done: bool) -> bool:
        """Return whether the end may be written: it makes no folder, and fills no empty one, for a run that failed."""
        try:
            if done and self.new_folder:
                self.folder.mkdir(parents=True, exist_ok=True)
            return self.folder.is_dir() and (done or self._start_written or any(self.folder.iterdir()))
        except OSError:
            return done

    def _complaint(self, *events: dict[str, Any]) -> str:
        """Append events; return why they could not be, or nothing: that is no reason to stop."""
        path = self.folder / recordfile.NAME
        try:
            recordfile.append(path, map(as_json, events))
        except OSError as error:
            return f"this run is not recorded in {path}: {error.strerror or error}"
        return ""


def _stamp(event: str, run: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"schema": recordfile.SCHEMA, "event": event, "run": run, "time": now}
