"""The answer: how often every method of classifying was right."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.ml.metrics import SIGNIFICANT, mcnemar, probability_in_words
from pyimagesearch.predicting.predictionsfile import read_classes
from pyimagesearch.report import charts
from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import Run
from pyimagesearch.runs.recorder import identify

_USUAL_LAYER = ", the layer before its classifier"


@dataclass(frozen=True)
class Method:
    """A method of classifying the test images, and how it did.

    Attributes:
        key: tells it from the others: "whole", "crops" or "features".
        name: for people.
        run: where the figures are from.
        accuracy: in [0, 1].
        images: how many it was tried on.
        evaluation: all other figures.
        before: the run before, or None.
        change: of the accuracy against the run before, or None.
    """

    key: str
    name: str
    run: Run
    accuracy: float
    images: int
    evaluation: dict[str, Any]
    before: Run | None
    change: float | None

    @property
    def interval(self) -> list[float] | None:
        """The 95% confidence interval of the accuracy (Wilson), or None if unknown."""
        return self.evaluation.get("interval")


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same images, by McNemar's exact test.

    Attributes:
        name, other: of the methods.
        test: what `pyimagesearch.ml.metrics.mcnemar` returns; gained is what ``name`` alone gets right.
    """

    name: str
    other: str
    test: dict[str, Any]

    @property
    def chance(self) -> str:
        """The p-value."""
        return probability_in_words(self.test["p"])

    @property
    def is_clear(self) -> bool:
        """True if the difference is more than chance explains."""
        return self.test["p"] < SIGNIFICANT


def compare(methods: list[Method]) -> list[Comparison]:
    """Compare ten crops with none, and features with ten crops on the images that both were tested on."""
    by_key = {method.key: method for method in methods}
    whole, crops, features = map(by_key.get, ("whole", "crops", "features"))
    found = []
    if whole and crops and "crops_against_none" in crops.run.results:
        found.append(Comparison(crops.name, whole.name, crops.run.results["crops_against_none"]))
    if crops and features:
        first, second = _classes(crops.run), _classes(features.run)
        both = [path for path in second if path in first]
        truth = [second[path][0] for path in both]
        if both and truth == [first[path][0] for path in both]:
            test = mcnemar(truth, [first[path][1] for path in both], [second[path][1] for path in both])
            found.append(Comparison(features.name, crops.name, test))
    return found


def _classes(run: Run) -> dict[str, tuple[str, str]]:
    """Return what a run predicted, by path; {} if its file is gone or was written again."""
    path = str(run.results.get("predictions", ""))
    written = next((file for file in run.outputs if path and file["path"] == path), None)
    place = os.path.join(run.folder, path)
    if written is None or not written["identity"] or identify(place)["identity"] != written["identity"]:
        return {}
    try:
        return read_classes(place)
    except UserError:
        return {}


def find_methods(project: Project) -> list[Method]:
    """Return the methods that were tried on test images, in the order in which the page shows them."""
    found = []
    crops, classify = project["crops"], project["classify"]
    if crops:
        name = _model_name(project, crops, crops.results.get("model"))
        found.append(_method(project, crops, "whole", f"{name}, no crops", "rank1", "evaluation"))
        found.append(_method(project, crops, "crops", f"{name}, 10 crops", "rank1_crops", "evaluation_crops"))
    if classify:
        found.append(_method(project, classify, "features", _classifier_name(project), "accuracy", "evaluation"))
    return [method for method in found if method is not None]


def answer(project: Project, methods: list[Method]) -> dict[str, Any]:
    """Return what the template ``answer`` shows."""
    measured = [method for method in methods if method.interval]
    rows = [
        (method.name, f"{method.accuracy:.2%} of {method.images:,}", method.accuracy, *method.interval)  # type: ignore[misc]
        for method in measured
    ]
    said = "; ".join(f"{name}: {text}, 95% interval {low:.1%} to {high:.1%}" for name, text, _, low, high in rows)
    runs = {method.run.run: method.run for method in methods}.values()
    tuned = project.results("fine_tune")
    return {
        "methods": methods,
        "best": max(methods, key=lambda method: method.accuracy, default=None),
        "chart": charts.interval_chart("Accuracy on test images", rows, said) if rows else None,
        "comparisons": compare(methods),
        "outdated": [(script_of(run), path) for run in runs for path in project.outdated(run)],
        "tuned": tuned if "val_accuracy" in tuned else None,
    }


def script_of(run: Run) -> str:
    """Return the name of a run's script without its package."""
    return run.script.rpartition(".")[2]


def _method(project: Project, run: Run, key: str, name: str, accuracy: str, evaluation: str) -> Method | None:
    results = run.results
    if accuracy not in results:
        return None
    before = project.before(run)
    earlier = before.results.get(accuracy) if before else None
    change = None if earlier is None else results[accuracy] - earlier
    return Method(
        key, name, run, results[accuracy], results["images"], results.get(evaluation) or {}, before, change,
    )  # fmt: skip


def _model_name(project: Project, run: Run, path: str | None) -> str:
    """Return what a model that a run read is called: by the step that made it, by its setting, or by its file."""
    if path is None:
        return "AlexNet"
    read = next((entry for entry in run.inputs if entry["path"] == str(path)), None)
    maker = project.writer(run, read) if read else None
    if maker is None and Path(path) == Path(run.settings.get("MODEL_PATH", "")):
        return "AlexNet"
    return {"train": "AlexNet", "fine_tune": "Fine-tuned network"}.get(maker.step if maker else "", Path(path).name)


def _classifier_name(project: Project) -> str:
    names = {"logistic": "Logistic regression", "linear-svm": "Linear SVM", "sgd": "Stochastic descent"}
    classifier = str(project.results("classify").get("classifier", "classifier"))
    source, extraction = "", project["features"]
    if extraction:
        source = str(extraction.results.get("networks") or "").removesuffix(_USUAL_LAYER)
        source = _model_name(project, extraction, source) if source.endswith(".keras") else source
    return names.get(classifier, classifier) + " on features" + (f" of {source}" if source else "")
