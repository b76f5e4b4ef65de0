"""Draw the curves of loss and accuracy while a model is trained."""

import json
import os
from pathlib import Path
from typing import Any

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import replacing, write_json
from pyimagesearch.utils.booknames import accepts_book_names


class TrainingMonitor(keras.callbacks.Callback):
    """Rewrite a figure of the curves, and their numbers as JSON, after every epoch.

    The learning rate at the end of the epoch is added to the numbers, and to ``logs``, as "learning_rate".

    Args:
        fig_path: the figure: PNG, PDF or SVG by its suffix.
        json_path: the numbers: a list for each metric, one value an epoch; None for no such file.
        start_at: epochs done before this run; their curves are read from ``json_path``.
        writes: whether to write the files; of hosts that train together only one does.

    Attributes:
        history: for each metric a list with one value an epoch.

    Raises:
        UserError: ``json_path`` is unreadable, or holds fewer epochs than ``start_at``.
    """

    @accepts_book_names
    def __init__(
        self,
        fig_path: str | os.PathLike[str],
        json_path: str | os.PathLike[str] | None = None,
        start_at: int = 0,
        *,
        writes: bool = True,
    ) -> None:
        super().__init__()
        self._writes = writes
        self.fig_path = Path(fig_path)
        self.json_path = None if json_path is None else Path(json_path)
        self.history: dict[str, list[float]] = {}
        if start_at > 0 and self.json_path is not None:
            self.history = _load(self.json_path, start_at)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add the epoch's results, and rewrite both files."""
        results = {} if logs is None else logs
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and ("learning_rate" in self.history or not self.history):
            results["learning_rate"] = _learning_rate(optimizer)
        for name, value in results.items():
            self.history.setdefault(name, []).append(float(value))
        if not self._writes:
            return
        if self.json_path is not None:
            write_json(self.json_path, self.history)
        with replacing(self.fig_path) as temporary:
            self._draw(temporary)

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 4), layout="constrained")
        axes = figure.subplots(1, 2)
        for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                values = self.history.get(key, [])
                axis.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=label)
            axis.set(title=name.capitalize(), xlabel="epoch")
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.3)
            axis.legend()
        figure.savefig(path, dpi=120)


def _learning_rate(optimizer: Any) -> float:
    rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
    return float(str(rate))  # 0.001 where float() makes 0.0010000000474974513 of a float32


def _load(path: Path, epochs: int) -> dict[str, list[float]]:
    try:
        history = json.loads(path.read_text("utf-8"))
        known = min(map(len, history.values()))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"json_path: must hold the curves of the first {epochs} epochs; {path} cannot be read "
            f"({error}); restore the file, or start from the beginning"
        ) from error
    if known < epochs:
        raise UserError(
            f"json_path: must hold the curves of the first {epochs} epochs; {path} holds {known}; "
            "restore the file, or start from the beginning"
        )
    return {name: values[:epochs] for name, values in history.items()}
