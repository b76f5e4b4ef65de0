"""The answer: how often every method of classifying was right."""

from pathlib import Path
from typing import Any, NamedTuple

from pyimagesearch.report import charts
from pyimagesearch.report.steps import Steps, name_of
from pyimagesearch.runs.record import Run

_USUAL_LAYER = ", the layer before its classifier"


class Method(NamedTuple):
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


def find_methods(steps: Steps) -> list[Method]:
    """Return the methods that were tried on test images, in the order in which the page shows them."""
    found = []
    crops, classify = steps["crops"], steps["classify"]
    if crops:
        name = _model_name(steps, steps.results("crops").get("model"))
        found.append(_way(steps, crops, "whole", f"{name}, no crops", "rank1", "evaluation"))
        found.append(_way(steps, crops, "crops", f"{name}, 10 crops", "rank1_crops", "evaluation_crops"))
    if classify:
        found.append(_way(steps, classify, "features", _classifier_name(steps), "accuracy", "evaluation"))
    return [method for method in found if method is not None]


def answer(steps: Steps, methods: list[Method]) -> dict[str, Any]:
    """Return what the template ``answer`` shows."""
    measured = [method for method in methods if method.interval]
    rows = [
        (method.name, f"{method.accuracy:.2%} of {method.images:,}", method.accuracy, *method.interval)  # type: ignore[misc]
        for method in measured
    ]
    said = "; ".join(f"{name}: {text}, 95% interval {low:.1%} to {high:.1%}" for name, text, _, low, high in rows)
    runs = {method.run.run: method.run for method in methods}.values()
    tuned = steps.results("tune")
    return {
        "methods": methods,
        "best": max(methods, key=lambda method: method.accuracy, default=None),
        "chart": charts.interval_chart("Accuracy on test images", rows, said) if rows else None,
        "outdated": [(name_of(run), path) for run in runs for path in steps.outdated(run)],
        "tuned": tuned if "val_accuracy" in tuned else None,
    }


def _way(steps: Steps, run: Run, key: str, name: str, accuracy: str, evaluation: str) -> Method | None:
    results = run.results or {}
    if accuracy not in results:
        return None
    before = steps.before(run)
    earlier = (before.results or {}).get(accuracy) if before else None
    change = None if earlier is None else results[accuracy] - earlier
    return Method(
        key, name, run, results[accuracy], results["images"], results.get(evaluation) or {}, before, change,
    )  # fmt: skip


def _model_name(steps: Steps, path: str | None) -> str:
    """Return what a model is called: by the script that made it, or by the setting that names it, or by its file."""
    if path is None:
        return "AlexNet"
    maker = steps.maker(path)
    names = {"train_alexnet": "AlexNet", "fine_tune": "Fine-tuned network"}
    if maker is None and Path(path) == Path(steps.settings("crops").get("MODEL_PATH", "")):
        return "AlexNet"
    return names.get(name_of(maker) if maker else "", Path(path).name)


def _classifier_name(steps: Steps) -> str:
    names = {"logistic": "Logistic regression", "linear-svm": "Linear SVM", "sgd": "Stochastic descent"}
    classifier = str(steps.results("classify").get("classifier", "classifier"))
    networks = str(steps.results("features").get("networks") or "").removesuffix(_USUAL_LAYER)
    source = _model_name(steps, networks) if networks.endswith(".keras") else networks
    return names.get(classifier, classifier) + " on features" + (f" of {source}" if source else "")
