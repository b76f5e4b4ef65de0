"""What a run record tells of one model: what made it, on what, and how good it is."""

import json
import os
import zipfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from pyimagesearch.runs.record import Run

KINDS = {
    "train_alexnet": "AlexNet with batch normalisation, trained from scratch",
    "fine_tune": "a network of Keras with a new classifier, trained further on these images",
    "train_model": "a linear classifier of features that another network gives",
}
"""What the scripts train, by the last part of their names."""


class TrainedModel(NamedTuple):
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
    def kind(self) -> str:
        """The last part of the script's name, a key of `KINDS`."""
        return _last_part(self.run)

    @property
    def results(self) -> dict[str, Any]:
        """The figures of its training."""
        return self.run.results

    @property
    def data(self) -> dict[str, Any]:
        """The figures of the build of its data set; empty if the record has none."""
        return self.figures_of("build_dogs_vs_cats")

    @property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Evaluations on images that it was not trained with, by how the images were presented."""
        if "evaluation" in self.results:
            return {"held-out images": self.results["evaluation"]}
        found = self.test.results if self.test else {}
        by_name = {"no crops": found.get("evaluation"), "mean of 10 crops": found.get("evaluation_crops")}
        return {name: evaluation for name, evaluation in by_name.items() if evaluation}

    @property
    def stands_on_own_network(self) -> bool:
        """Whether it is made of a network that was trained here, too."""
        return any(_last_part(run) in KINDS for run in self.sources)

    @property
    def commands(self) -> list[list[str]]:
        """The commands that make and test it again, in order."""
        return [run.command for run in [*self.sources, self.run, *([self.test] if self.test else [])]]

    @property
    def preparation(self) -> dict[str, Any]:
        """What its file says an image must become (`pyimagesearch.nn.modelfile.Preparation`); empty if nothing."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                return json.loads(archive.read("pyimagesearch.json"))["preparation"]
        except (OSError, zipfile.BadZipFile, KeyError, ValueError):
            return {}

    def figures_of(self, script: str) -> dict[str, Any]:
        """Return the figures of the last of its sources that is a run of ``script``; empty if there is none."""
        return next((run.results for run in reversed(self.sources) if _last_part(run) == script), {})


def trained_models(runs: Sequence[Run]) -> list[TrainedModel]:
    """Return the models that a record tells of, each as it was trained last, in the order of their trainings."""
    last: dict[str, Run] = {}
    for run in runs:
        if run.status == "done" and run.outputs and _last_part(run) in KINDS:
            path = _absolute(run, run.outputs[0])
            last.pop(path, None)
            last[path] = run
    return [TrainedModel(run, path, _sources(run, runs), _test(run, runs)) for path, run in last.items()]


def _sources(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Return the runs whose outputs a run read, and those whose outputs these read, in the order of the record."""
    found: list[Run] = []
    waiting = [run]
    while waiting:
        reader = waiting.pop()
        for read in reader.inputs:
            earlier = runs[: runs.index(reader)]
            maker = next((r for r in reversed(earlier) if r.status == "done" and _wrote(r, reader, read)), None)
            if maker is not None and maker not in found:
                found.append(maker)
                waiting.append(maker)
    return sorted(found, key=runs.index)


def _test(run: Run, runs: Sequence[Run]) -> Run | None:
    later = [r for r in runs[runs.index(run) + 1 :] if r.status == "done" and _last_part(r) == "crop_accuracy"]
    return next((r for r in reversed(later) if any(_is_same(run, run.outputs[0], r, read) for read in r.inputs)), None)


def _wrote(maker: Run, reader: Run, read: dict[str, Any]) -> bool:
    return any(_is_same(maker, written, reader, read) for written in maker.outputs)


def _is_same(maker: Run, written: dict[str, Any], reader: Run, read: dict[str, Any]) -> bool:
    return _absolute(maker, written) == _absolute(reader, read) and written["identity"] == read["identity"]


def _absolute(run: Run, file: dict[str, Any]) -> str:
    return os.path.normpath(os.path.join(run.folder, file["path"]))


def _last_part(run: Run) -> str:
    return run.script.rpartition(".")[2]
