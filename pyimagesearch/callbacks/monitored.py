"""Names and values of the metrics that callbacks watch."""

import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from pyimagesearch.errors import UserError

_ERRORS = re.compile(r"loss|error|(^|_)(mse|rmse|mae|mape|msle)$")

Value = float | list[float]
"""A metric of an epoch: a number, or one for each class."""


def plain(value: Any) -> Value:
    """Return a metric as a float, or as a list where it is a vector, such as that of ``F1Score()``."""
    result: Value = np.asarray(value, float).tolist()
    return result


def lower_is_better(monitor: str, mode: str) -> bool:
    """Return whether less of a metric is better.

    Args:
        monitor: its name.
        mode: "min", "max", or "auto": by the name, which losses and errors give away.

    Raises:
        UserError: the mode is none of these.
    """
    if mode not in ("auto", "min", "max"):
        raise UserError(f'mode: must be "auto", "min" or "max"; received {mode!r}')
    return mode == "min" or (mode == "auto" and _ERRORS.search(monitor) is not None)


def check_monitored(model: keras.Model, monitor: str) -> None:
    """Raise a `UserError` if a model, as it was compiled, cannot have a metric of this name."""
    names = _names_of(model)
    base = monitor.removeprefix("val_")
    if names is not None and not any(re.fullmatch(rf"(.+_)?{re.escape(name)}(_\d+)?", base) for name in names):
        raise _unknown(monitor, names)


def check_recorded(monitor: str, names: Any) -> None:
    """Raise a `UserError` if an epoch had validation metrics, but not this one."""
    if any(name.startswith("val_") for name in names):
        raise _unknown(monitor, [name.removeprefix("val_") for name in names if name.startswith("val_")])


def _unknown(monitor: str, names: list[str]) -> UserError:
    shown = ", ".join(f"val_{name}" for name in dict.fromkeys(names))
    return UserError(
        f"monitor: must be a metric that the model is compiled with; it has {shown}; received {monitor!r}; name one of "
        "these, or compile the model with another metric"
    )


def _names_of(model: keras.Model) -> list[str] | None:
    """Return the names of the loss and the metrics of a compiled model; None if only training will show them."""
    if type(model).train_step is not keras.Model.train_step or type(model).compute_metrics is not (
        keras.Model.compute_metrics
    ):
        return None
    try:
        config = model.get_compile_config() or {}
        found = [*_flat(config.get("metrics")), *_flat(config.get("weighted_metrics"))]
    except (KeyError, TypeError, ValueError, NotImplementedError, AttributeError):
        return None
    return ["loss", *found, *(metric.name for metric in model.metrics if metric.name != "compile_metrics")]


def _flat(metrics: Any) -> Iterator[str]:
    """Yield the names of metrics as ``get_compile_config`` holds them, nested by outputs."""
    if isinstance(metrics, str):
        yield metrics
    elif isinstance(metrics, dict) and "class_name" in metrics:
        yield metrics["config"] if isinstance(metrics["config"], str) else metrics["config"]["name"]
    elif metrics is not None:
        for each in metrics.values() if isinstance(metrics, dict) else metrics:
            yield from _flat(each)
