"""The result: what was taken for what, how far probabilities can be trusted, and the pictures that matter."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.report import charts
from pyimagesearch.report.answer import Method
from pyimagesearch.report.charts import Chart, Series, percent
from pyimagesearch.report.heatmaps import Heatmaps
from pyimagesearch.report.pictures import Pictures
from pyimagesearch.report.thumbnails import Thumbnail, thumbnail

_MATRIX = 24  # classes whose confusion matrix still fits a page
_PAIRS = 20
_TYPICAL = 72  # pictures of all classes together


class Shot(NamedTuple):
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
    picture: Thumbnail | None
    heatmap: Thumbnail | None

    @property
    def margin(self) -> float:
        """How far the second class is behind the first."""
        values = [value for _, value in self.probabilities] + [0.0, 0.0]
        return values[0] - values[1]


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
        self._way, self._pictures, self._heatmaps = method, pictures, heatmaps
        self._file = next(
            (entry["path"] for entry in method.run.inputs or () if str(entry["path"]) in pictures.files), None
        )

    def take(self, entries: Iterable[dict[str, Any]]) -> list[Shot]:
        entries = list(entries)
        images = [self._pictures.find(e.get("path"), e["label"], e.get("row"), self._file) for e in entries]
        overlays: list[np.ndarray | None] = [None] * len(entries)
        if self._way.key != "features":
            overlays = self._heatmaps.draw(images, [e["predicted"] for e in entries])
        return [self._shot(*parts) for parts in zip(entries, images, overlays, strict=True)]

    def _shot(self, entry: dict[str, Any], image: Any, overlay: Any) -> Shot:
        path = entry.get("path") or f"row {entry.get('row')}"
        label, predicted = entry["label"], entry["predicted"]
        said = f"{path}: {label}" + (f", taken for {predicted}" if predicted != label else "")
        ranked = sorted(entry.get("probabilities", {}).items(), key=lambda pair: -pair[1])
        heat = f"{said}; what spoke for {predicted}"
        return Shot(
            self._way.name, path, label, predicted, ranked, None if image is None else thumbnail(image, said),
            None if overlay is None else thumbnail(overlay, heat),
        )  # fmt: skip


def _figures(method: Method) -> dict[str, Any]:
    found = method.evaluation
    names, confusion = found.get("classes", []), found.get("confusion", [])
    return {
        "method": method,
        "per_class": found.get("per_class", []),
        "names": names,
        "matrix": _matrix(names, confusion) if len(names) <= _MATRIX else [],
        "pairs": _pairs(names, confusion) if len(names) > _MATRIX else [],
        "charts": [chart for chart in (_calibration(method), _roc(method)) if chart],
    }


def _matrix(names: list[str], confusion: list[list[int]]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Return the rows of a confusion matrix: a count, and its share of the row, for every predicted class."""
    return [
        (name, [(count, count / max(1, sum(counts))) for count in counts])
        for name, counts in zip(names, confusion, strict=True)
    ]


def _pairs(names: list[str], confusion: list[list[int]]) -> list[tuple[str, str, int, float]]:
    found = [
        (names[i], names[j], count, count / max(1, sum(counts)))
        for i, counts in enumerate(confusion)
        for j, count in enumerate(counts)
        if i != j and count
    ]
    return sorted(found, key=lambda pair: -pair[2])[:_PAIRS]


def _calibration(method: Method) -> Chart | None:
    found = method.evaluation.get("calibration")
    if not found:
        return None
    bins = [one for one in found["bins"] if one["images"]]
    tips = [
        f"{one['images']:,} images, {percent(one['confidence'])} sure, {percent(one['accuracy'])} right" for one in bins
    ]
    series = Series("of all that were so sure", [b["confidence"] for b in bins], [b["accuracy"] for b in bins], tips)
    # Bins of two classes begin at one half: nobody bets on the less probable one.
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
