"""The runs of a record that the page is about: of every script the last one that was done."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyimagesearch.runs.record import Run, latest, previous

SCRIPTS = {
    "build": "build_dogs_vs_cats",
    "train": "train_alexnet",
    "tune": "fine_tune",
    "crops": "crop_accuracy",
    "features": "extract_features",
    "classify": "train_model",
    "explore": "explore",
}
_PACKAGE = "dogs_vs_cats"


class Steps:
    """The last runs that were done, by step: ``build``, ``train``, ``tune``, ``crops``, ``features``...

    Args:
        runs: of the record, in the order of their start.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self._last = {step: latest(self.runs, f"{_PACKAGE}.{name}") for step, name in SCRIPTS.items()}

    def __getitem__(self, step: str) -> Run | None:
        return self._last[step]

    def results(self, step: str) -> dict[str, Any]:
        """Return the results of a step; none if it has not run."""
        run = self._last[step]
        return dict(run.results or {}) if run else {}

    def settings(self, *steps: str) -> dict[str, Any]:
        """Return the settings of the first of ``steps`` that has run."""
        run = next((self._last[step] for step in steps if self._last[step]), None)
        return dict((run.config or {}).get("settings", {})) if run else {}

    def before(self, run: Run) -> Run | None:
        """Return the run of the same script before ``run`` that was done."""
        return previous(self.runs, run.script)

    def maker(self, path: str | Path) -> Run | None:
        """Return the last run that was done and wrote a file."""
        runs = [run for run in self.runs if run.status == "done" and _find(run.outputs, path)]
        return runs[-1] if runs else None

    def outdated(self, run: Run) -> list[str]:
        """Return those inputs of a run that were written again since: what it found is not about them."""
        stale = []
        for entry in run.inputs or ():
            maker = self.maker(entry["path"])
            made = _find(maker.outputs, entry["path"]) if maker else None
            if made and made.get("identity") != entry.get("identity"):
                stale.append(entry["path"])
        return stale


def name_of(run: Run) -> str:
    """Return the name of a run's script without its package."""
    return str(run.script).rpartition(".")[2]


def _find(entries: Sequence[dict[str, Any]] | None, path: str | Path) -> dict[str, Any] | None:
    return next((entry for entry in entries or () if Path(entry["path"]) == Path(path)), None)
