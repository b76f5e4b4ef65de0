"""A project, as its run record describes it: the last run of each step, the origin of its files, its models."""

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyimagesearch.runs.record import Run

KINDS = {
    "train": "AlexNet with batch normalisation, trained from scratch",
    "fine_tune": "a network of Keras with a new classifier, trained further on these images",
    "classify": "a linear classifier of features that another network gives",
}
"""The model that each of these steps trains."""


@dataclass(frozen=True)
class TrainedModel:
    """A model and the runs behind it.

    Attributes:
        run: that wrote it.
        path: the model's file, absolute.
        sources: the runs that made what it was trained with, in order.
        test: the last run that tested this very file by crops of images, or None.
    """

    run: Run
    path: str
    sources: list[Run]
    test: Run | None

    @property
    def name(self) -> str:
        """The file's name without suffix."""
        return os.path.splitext(os.path.basename(self.path))[0]

    @property
    def data(self) -> dict[str, Any]:
        """The figures of the build of its data set; empty if the record has none."""
        return self.figures_of("build")

    @property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Evaluations on images that it was not trained with, by how the images were presented."""
        if "evaluation" in self.run.results:
            return {"held-out images": self.run.results["evaluation"]}
        found = self.test.results if self.test else {}
        by_name = {"no crops": found.get("evaluation"), "mean of 10 crops": found.get("evaluation_crops")}
        return {name: evaluation for name, evaluation in by_name.items() if evaluation}

    @property
    def stands_on_own_network(self) -> bool:
        """True if its features come from a network that was trained here, too."""
        return any(run.step in KINDS for run in self.sources)

    @property
    def commands(self) -> list[list[str]]:
        """The commands that make and test it again, in order."""
        return [run.command for run in [*self.sources, self.run, *([self.test] if self.test else [])]]

    @property
    def preparation(self) -> dict[str, Any]:
        """The `pyimagesearch.nn.modelfile.Preparation` in its file, as a dict; empty if there is none."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                return json.loads(archive.read("pyimagesearch.json"))["preparation"]
        except (OSError, zipfile.BadZipFile, KeyError, ValueError):
            return {}

    def figures_of(self, step: str) -> dict[str, Any]:
        """Return the figures of the last of its sources that did a step; empty if there is none."""
        return next((run.results for run in reversed(self.sources) if run.step == step), {})


class Project:
    """The runs of a record, and how their files hang together.

    A file is the same as another if its absolute path and its content (`recorder.identify`) are the same.

    Args:
        runs: in the order of their start.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self._done = [run for run in self.runs if run.status == "done"]

    def __getitem__(self, step: str) -> Run | None:
        """Return the last run of a step that was done, or None."""
        return next((run for run in reversed(self._done) if run.step == step), None)

    def results(self, step: str) -> dict[str, Any]:
        """Return the results of a step; empty if it has not run."""
        run = self[step]
        return run.results if run else {}

    def settings(self, *steps: str) -> dict[str, Any]:
        """Return the settings of the first of ``steps`` that has run; empty if none has."""
        return next((run.settings for step in steps if (run := self[step])), {})

    def before(self, run: Run) -> Run | None:
        """Return the run of the same step before ``run`` that was done, or None."""
        return next((one for one in reversed(self._earlier(run)) if one.step == run.step), None)

    def writer(self, reader: Run, read: dict[str, Any]) -> Run | None:
        """Return the run that wrote one of the inputs of ``reader``; None if the record has none."""
        earlier = reversed(self._earlier(reader))
        return next((run for run in earlier if any(_is_same(run, file, reader, read) for file in run.outputs)), None)

    def sources(self, run: Run) -> list[Run]:
        """Return the runs whose outputs a run read, and those whose outputs these read, in the order of the record."""
        found: list[Run] = []
        waiting = [run]
        while waiting:
            reader = waiting.pop()
            for read in reader.inputs:
                writer = self.writer(reader, read)
                if writer is not None and writer not in found:
                    found.append(writer)
                    waiting.append(writer)
        return sorted(found, key=self.runs.index)

    def outdated(self, run: Run) -> list[str]:
        """Return those inputs of a run that were written again since: its figures are not about the newer files."""
        stale = []
        for read in run.inputs:
            written = [
                file for one in self._later(run) for file in one.outputs if _absolute(one, file) == _absolute(run, read)
            ]
            if written and written[-1]["identity"] != read["identity"]:
                stale.append(read["path"])
        return stale

    def models(self) -> list[TrainedModel]:
        """Return the models that the record tells of, each as it was trained last, in the order of their trainings."""
        last: dict[str, Run] = {}
        for run in self._done:
            if run.outputs and run.step in KINDS:
                path = _absolute(run, run.outputs[0])
                last.pop(path, None)
                last[path] = run
        return [TrainedModel(run, path, self.sources(run), self._test(run)) for path, run in last.items()]

    def _test(self, run: Run) -> Run | None:
        tests = (one for one in reversed(self._later(run)) if one.step == "crops")
        return next(
            (one for one in tests if any(_is_same(run, run.outputs[0], one, read) for read in one.inputs)), None
        )

    def _earlier(self, run: Run) -> list[Run]:
        return [one for one in self.runs[: self.runs.index(run)] if one.status == "done"]

    def _later(self, run: Run) -> list[Run]:
        return [one for one in self.runs[self.runs.index(run) + 1 :] if one.status == "done"]


def _is_same(writer: Run, written: dict[str, Any], reader: Run, read: dict[str, Any]) -> bool:
    return _absolute(writer, written) == _absolute(reader, read) and written["identity"] == read["identity"]


def _absolute(run: Run, file: dict[str, Any]) -> str:
    return os.path.normpath(os.path.join(run.folder, file["path"]))
