"""Training: the curves, and whether the network waited for its data."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from pyimagesearch.report import charts
from pyimagesearch.report.charts import Chart, Series, percent, plain
from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import Run

_COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "loss": ("loss", "{:.4f}".format),
    "val_loss": ("loss, validation", "{:.4f}".format),
    "accuracy": ("accuracy", "{:.2%}".format),
    "val_accuracy": ("accuracy, validation", "{:.2%}".format),
    "learning_rate": ("learning rate", "{:.3g}".format),
    "seconds": ("seconds", "{:.1f}".format),
    "images_per_second": ("images/s", "{:,.1f}".format),
    "waiting": ("waiting for data", "{:.2%}".format),
}


def learning(project: Project) -> list[dict[str, Any]]:
    """Return what the template ``learning`` shows of every network that was trained."""
    runs = [run for run in (project["train"], project["fine_tune"]) if run is not None]
    return [_training(run) for run in runs if run.results.get("history")]


def _training(run: Run) -> dict[str, Any]:
    results = run.results
    history, best = results["history"], results.get("best_epoch")
    mark = (best, f"best: {best}") if best else None

    def chart(title: str, names: dict[str, str], label: str, **options: Any) -> Chart | None:
        series = [Series(name, _epochs(history.get(key)), history.get(key) or []) for key, name in names.items()]
        ends = [f"{one.name} {options['y_text'](one.y[0])} to {options['y_text'](one.y[-1])}" for one in series
                if one.y and None not in (one.y[0], one.y[-1])]  # fmt: skip
        return charts.line_chart(title, series, "epoch", label, description=f"By epoch: {'; '.join(ends)}.", **options)

    drawn = [
        chart(
            "Accuracy", {"accuracy": "training", "val_accuracy": "validation"}, "accuracy", y_text=percent, mark=mark,
        ),
        chart("Loss", {"loss": "training", "val_loss": "validation"}, "loss", y_text=plain, mark=mark),
        chart("Learning rate", {"learning_rate": "learning rate"}, "rate", y_text=plain, from_zero=True),
        chart("Speed", {"images_per_second": "images/s"}, "images per second", y_text=plain, from_zero=True),
        chart(
            "Waiting for data", {"waiting": "waiting"}, "share of the epoch", y_text=percent,
            y_range=(0, max([0.1, *_numbers(history.get("waiting"))])),
        ),
    ]  # fmt: skip
    name = "AlexNet from scratch" if run.step == "train" else "Fine-tuned network"
    shown = [one for one in drawn if one is not None]
    return {"name": name, "run": run, "results": results, "charts": shown, "table": _table(history)}


def _table(history: dict[str, Sequence[float | None]]) -> dict[str, Any]:
    """Return the figures of every epoch as texts, "rows" under "names"; a dash where there is none."""
    known = {key: column for key, column in _COLUMNS.items() if history.get(key)}
    columns = [
        ["\N{EN DASH}" if value is None else text(value) for value in history[key]] for key, (_, text) in known.items()
    ]
    rows = itertools.zip_longest(*columns, fillvalue="\N{EN DASH}")
    return {"names": [name for name, _ in known.values()], "rows": list(rows)}


def _epochs(values: Sequence[Any] | None) -> list[int]:
    return list(range(1, len(values or ()) + 1))


def _numbers(values: Sequence[Any] | None) -> list[float]:
    return [value for value in values or () if value is not None]
