"""The result: confusion, calibration, ROC, and the pictures that matter with what the network decided by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.ml.confusion import most_confused
from pyimagesearch.report import charts
from pyimagesearch.report.answer import Method
from pyimagesearch.report.charts import Chart, Series, percent
from pyimagesearch.report.pictures import Picture, Pictures, picture

_MATRIX = 24  # classes whose confusion matrix still fits a page
_TYPICAL = 72  # pictures of all classes together


@dataclass(frozen=True)
class Shot:
    """A test image that matters, and what a method made of it.

    Attributes:
        method: the name of the method.
        path: of the image, or its row.
        label, predicted: names of classes.
        probabilities: of the most probable classes, the highest first.
        picture, heatmap: None where they cannot be made.
    """

    method: str
    path: str
    label: str
    predicted: str
    probabilities: list[tuple[str, float]]
    picture: Picture | None
    heatmap: Picture | None


class Heatmaps:
    """Draws overlays, and loads the model, and Keras with it, when the first one is asked for.

    Args:
        model_path: a ``.keras`` file; None if there is none.
        why_not: the reason for no overlays, in a sentence; "" for overlays.
    """

    def __init__(self, model_path: str | Path | None, why_not: str = "") -> None:
        self.why_not = why_not
        self._path = model_path
        self._parts: tuple[Any, ...] | None = None
        if not why_not and model_path is None:
            self.why_not = "No network is in the record, so there are no heat maps."
        elif not why_not and not Path(str(model_path)).is_file():
            self.why_not = f"The model {model_path} is gone, so there are no heat maps."

    def draw(self, images: Sequence[np.ndarray | None], predicted: Sequence[str]) -> list[np.ndarray | None]:
        """Return a Grad-CAM overlay for every image, ndarray of shape (h, w, 3), uint8, BGR.

        It is None where it cannot be made, or where nothing in the image speaks for the class.

        Args:
            images: ndarrays of shape (h, w, channels), uint8, BGR.
            predicted: the class of each that its overlay explains.
        """
        overlays: list[np.ndarray | None] = [None] * len(images)
        if self.why_not or all(image is None for image in images):
            return overlays
        try:
            preparation, gradcam, overlay = self._load()
        except UserError as error:
            self.why_not = f"There are no heat maps: {error}."
            return overlays
        names = preparation.label_names
        known = [i for i, image in enumerate(images) if image is not None and predicted[i] in names]
        if known:
            resized = [preparation.resize().preprocess(images[i]) for i in known]
            batch = np.stack([_prepared(image, preparation) for image in resized])
            heat = gradcam.heatmap(batch, np.array([names.index(predicted[i]) for i in known]))
            for i, image, one in zip(known, resized, np.asarray(heat), strict=True):
                overlays[i] = overlay(image, one) if one.any() else None
        return overlays

    def _load(self) -> tuple[Any, ...]:
        if self._parts is None:
            from pyimagesearch.nn.gradcam import GradCAM, overlay
            from pyimagesearch.nn.modelfile import load_model

            model, preparation = load_model(str(self._path))
            self._parts = preparation, GradCAM(model), overlay
        return self._parts


def _prepared(image: np.ndarray, preparation: Any) -> np.ndarray:
    for step in preparation.normalize("BGR"):
        image = step.preprocess(image)
    return image


def outcome(methods: list[Method], pictures: Pictures, heatmaps: Heatmaps) -> dict[str, Any]:
    """Return what the template ``outcome`` shows."""
    shown = [method for method in methods if method.evaluation]
    with_pictures = [method for method in shown if method.key != "whole" or not any(w.key == "crops" for w in shown)]
    mistakes, uncertain, typical = [], [], []
    for method in with_pictures:
        found = method.evaluation.get("pictures") or {}
        shots = _Shots(method, pictures, heatmaps)
        mistakes += shots.take(found.get("mistakes", []))
        uncertain += shots.take(found.get("uncertain", []))
        classes = found.get("typical", {})
        each = max(1, _TYPICAL // max(1, len(classes)))
        typical += [(method.name, name, shots.take(some[:each])) for name, some in list(classes.items())[:_TYPICAL]]
    every = [*mistakes, *uncertain, *(shot for _, _, shots in typical for shot in shots)]
    return {
        "evaluations": [_figures(method) for method in shown],
        "mistakes": mistakes,
        "uncertain": uncertain,
        "typical": [group for group in typical if group[2]],
        "names": list(dict.fromkeys(method.name for method in with_pictures)),
        "classes": sorted({shot.label for shot in every}),
        "missing": sum(shot.picture is None for shot in every),
        "no_heatmaps": heatmaps.why_not,
    }


class _Shots:
    """Makes the shots of a method."""

    def __init__(self, method: Method, pictures: Pictures, heatmaps: Heatmaps) -> None:
        self._method, self._pictures, self._heatmaps = method, pictures, heatmaps
        self._file = next(
            (entry["path"] for entry in method.run.inputs or () if str(entry["path"]) in pictures.files), None
        )

    def take(self, entries: Iterable[dict[str, Any]]) -> list[Shot]:
        entries = list(entries)
        images = [self._pictures.find(e.get("path"), e["label"], e.get("row"), self._file) for e in entries]
        overlays: list[np.ndarray | None] = [None] * len(entries)
        if self._method.key != "features":
            overlays = self._heatmaps.draw(images, [e["predicted"] for e in entries])
        return [self._shot(*parts) for parts in zip(entries, images, overlays, strict=True)]

    def _shot(self, entry: dict[str, Any], image: Any, overlay: Any) -> Shot:
        path = entry.get("path") or f"row {entry.get('row')}"
        label, predicted = entry["label"], entry["predicted"]
        said = f"{path}: {label}" + (f", taken for {predicted}" if predicted != label else "")
        ranked = sorted(entry.get("probabilities", {}).items(), key=lambda pair: -pair[1])
        heat = f"{said}; what spoke for {predicted}"
        return Shot(
            self._method.name, path, label, predicted, ranked, None if image is None else picture(image, said),
            None if overlay is None else picture(overlay, heat),
        )  # fmt: skip


def _figures(method: Method) -> dict[str, Any]:
    found = method.evaluation
    names, confusion = found.get("classes", []), found.get("confusion", [])
    return {
        "method": method,
        "per_class": found.get("per_class", []),
        "names": names,
        "matrix": _matrix(names, confusion) if len(names) <= _MATRIX else [],
        "pairs": most_confused(names, confusion) if len(names) > _MATRIX else [],
        "charts": [chart for chart in (_calibration(method), _roc(method)) if chart],
    }


def _matrix(names: list[str], confusion: list[list[int]]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Return the rows of a confusion matrix: a count, and its share of the row, for every predicted class."""
    return [
        (name, [(count, count / max(1, sum(counts))) for count in counts])
        for name, counts in zip(names, confusion, strict=True)
    ]


def _calibration(method: Method) -> Chart | None:
    found = method.evaluation.get("calibration")
    if not found:
        return None
    bins = [one for one in found["bins"] if one["images"]]
    tips = [
        f"{one['images']:,} images, {percent(one['confidence'])} sure, {percent(one['accuracy'])} right" for one in bins
    ]
    series = Series("of all that were so sure", [b["confidence"] for b in bins], [b["accuracy"] for b in bins], tips)
    # Bins of two classes begin at one half: the less probable one is never predicted.
    low = min([one["low"] for one in bins] or [0.0])
    floor = min([low, *(one["accuracy"] for one in bins)])
    return charts.line_chart(
        "Calibration", [series], "how sure it was", "how often it was right",
        description=f"Calibration error {found['error']:.2%}. " + "; ".join(tips),
        x_range=(low, 1.0), y_range=(floor, 1.0), x_text=percent, y_text=percent, diagonal=True,
    )  # fmt: skip


def _roc(method: Method) -> Chart | None:
    found = method.evaluation.get("roc")
    if not found:
        return None
    names = method.evaluation.get("classes") or ["", "the second class"]
    series = Series(names[-1], found["false_positive_rate"], found["true_positive_rate"])
    return charts.line_chart(
        "ROC", [series], "false positive rate", "true positive rate",
        description=f"Area under the curve {found['auc']:.4f}; {names[-1]} is positive.",
        x_range=(0, 1), y_range=(0, 1), x_text=percent, y_text=percent, diagonal=True,
    )  # fmt: skip
