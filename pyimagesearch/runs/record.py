"""The run record, runs.jsonl: its lines, and the runs that they describe (see docs/run_record.md)."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.utils.text import without_credentials

NAME, SCHEMA = "runs.jsonl", 1


@dataclass(frozen=True)
class Run:
    """One run of a script: its command, surroundings, files and results.

    Attributes:
        run: 16 hexadecimal digits, of each run its own.
        time: when it started: UTC, as "2026-11-22T06:00:00+00:00".
        script: dotted name of the script's module.
        step: the script's role in a project: "build", "train", "crops", "features", "classify", "fine_tune", ...
        command: the command that does the same again, word by word.
        folder: where it was run.
        config: {"module": its name, "settings": {name: value}}, or None.
        seed: the config's SEED, or None.
        versions: of Python and of libraries, by name.
        hardware: "system", "processor", "processors", "memory_bytes".
        status: "done"; "failed" or "stopped" (by Ctrl-C); "killed" if no end was written, also while it still runs.
        ended: when it ended, or "" if it was killed.
        seconds: how long it took, or None if it was killed.
        error: what went wrong, or None.
        backend: of Keras, or None if Keras was not needed.
        devices: what Keras computed on, as "GPU: NVIDIA H200".
        inputs: files that it read: {"path", "bytes", "identity"}; see `recorder.identify`.
        outputs: files that it wrote, likewise.
        results: its figures, by name.
    """

    run: str
    time: str
    script: str
    step: str
    command: list[str]
    folder: str
    config: dict[str, Any] | None
    seed: int | None
    versions: dict[str, str]
    hardware: dict[str, Any]
    status: str = "killed"
    ended: str = ""
    seconds: float | None = None
    error: str | None = None
    backend: str | None = None
    devices: list[str] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of its config; empty without one."""
        return self.config["settings"] if self.config else {}


_STARTED = ("run", "time", "script", "command", "folder", "config", "seed", "versions", "hardware")
_ENDED = ("seconds", "status", "error", "backend", "devices", "inputs", "outputs", "results")
_STEPS = {
    "build_dogs_vs_cats": "build",
    "train_alexnet": "train",
    "crop_accuracy": "crops",
    "extract_features": "features",
    "train_model": "classify",
    "draw_sample": "draw",
}


def step_of(script: str) -> str:
    """Return the step of a script of former versions, which recorded only its name."""
    last = script.rpartition(".")[2]
    return _STEPS.get(last, last)


class History(list[Run]):
    """Runs in the order of their starts.

    Attributes:
        unreadable: lines of the record that were no events, such as what a full disk cut off.
    """

    unreadable = 0


def append(path: Path, events: Iterable[Any]) -> None:
    """Append events in one write, so that those of concurrent programs do not mix.

    URLs lose what may be secret in them. A line that an earlier write left unfinished, as on a full disk, is ended
    first.

    Raises:
        OSError: they cannot be written, or only some of them.
    """
    lines = (without_credentials(json.dumps(event, allow_nan=False)) for event in events)
    data = "".join(f"{line}\n" for line in lines).encode("ascii")
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    with open(number, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            data = data if file.read(1) == b"\n" else b"\n" + data
        if os.write(number, data) < len(data):
            raise OSError("only some of it could be written")


def read_runs(path: str | os.PathLike[str]) -> History:
    """Read the runs of a record; lines that cannot be used are skipped and counted.

    Args:
        path: the record, or the folder that it is in.

    Raises:
        UserError: it cannot be read, or a newer pyimagesearch wrote it.
    """
    path = Path(path)
    path = path / NAME if path.is_dir() else path
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
            event = json.loads(line)
            if event["schema"] > SCHEMA:
                raise UserError(
                    f"run record: {path} must be of schema {SCHEMA} or older; received {event['schema']}; install a "
                    "newer pyimagesearch"
                )
            _take(event, runs)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            if isinstance(error, UserError):
                raise
            unreadable += 1
    history = History(runs.values())
    history.unreadable = unreadable
    return history


def _take(event: dict[str, Any], runs: dict[str, Run]) -> None:
    name = event["run"]
    if event["event"] == "start":
        step = event.get("step") or step_of(event["script"])
        runs[name] = Run(**{key: event[key] for key in _STARTED}, step=step)
    elif event["event"] == "end":
        runs[name] = replace(runs[name], ended=event["time"], **{key: event[key] for key in _ENDED})
    else:
        raise ValueError(f"unknown event {event['event']}")
