"""How to repeat it: commands, versions, seeds, hardware, and the steps that went wrong."""

import shlex
from collections.abc import Iterable
from typing import Any

from pyimagesearch.report.steps import SCRIPTS, Steps, name_of
from pyimagesearch.runs.record import Run

_SHOWN = 60


def repeating(steps: Steps) -> dict[str, Any]:
    """Return what the template ``repeating`` shows."""
    last = [run for run in steps.runs if any(run is steps[step] for step in SCRIPTS)]
    drawn = [run for run in steps.runs if name_of(run) == "draw_sample" and run.status == "done"][-1:]
    chosen = [*drawn, *last]
    return {
        "chosen": chosen,
        "commands": [command(run) for run in chosen],
        "versions": _merged(run.versions for run in chosen),
        "hardware": _merged(run.hardware for run in chosen),
        "devices": sorted({device for run in chosen for device in run.devices or ()}),
        "backends": sorted({run.backend for run in chosen if run.backend}),
        "seeds": sorted({run.seed for run in chosen if run.seed is not None}),
        "folders": sorted({run.folder for run in chosen}),
        "runs": steps.runs[-_SHOWN:],
        "hidden_runs": max(0, len(steps.runs) - _SHOWN),
        "broken": [run for run in steps.runs if run.status != "done"],
        "settings": steps.settings("train", "build", "crops", "classify"),
    }


def command(run: Run) -> str:
    """Return the command of a run as a shell takes it."""
    return shlex.join(map(str, run.command or ()))


def _merged(parts: Iterable[dict[str, Any] | None]) -> dict[str, str]:
    """Return what every run says of itself under each name; several values where runs differ."""
    found: dict[str, list[str]] = {}
    for part in parts:
        for name, value in (part or {}).items():
            if str(value) not in found.setdefault(name, []):
                found[name].append(str(value))
    return {name: ", ".join(values) for name, values in found.items()}
