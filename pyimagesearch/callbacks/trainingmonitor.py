"""Draw the curves of the loss and a metric while a model is trained."""

import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pyimagesearch.callbacks.monitored import Value, plain
from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import replacing, write_json
from pyimagesearch.utils.booknames import accepts_book_names


class TrainingMonitor(keras.callbacks.Callback):
    """Rewrite a figure of the curves, and their numbers as JSON, after every epoch.

    All metrics are kept, those that are vectors too; the figure shows the loss and one metric, which its title names.
    The learning rate at the end of the epoch is added to the numbers, and to ``logs``, as "learning_rate".

    Args:
        fig_path: the figure: PNG, PDF or SVG by its suffix.
        json_path: the numbers: a list for each metric, one value an epoch, null for an epoch without one; None for no
            such file.
        start_at: epochs done before this run; their curves are read from ``json_path``.
        writes: whether to write the files; of hosts that train together only one does.
        metric: what to draw beside the loss, as ``fit`` names it for training; the first accuracy if None, or else the
            first other metric. Of a vector, the mean is drawn.

    Attributes:
        history: for each metric a list with one value an epoch: a float, a list of them for a vector, or None.

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
        metric: str | None = None,
    ) -> None:
        super().__init__()
        self._writes, self._metric = writes, metric
        self.fig_path = Path(fig_path)
        self.json_path = None if json_path is None else Path(json_path)
        self.history: dict[str, list[Value | None]] = {}
        self._epochs = start_at
        if start_at > 0 and self.json_path is not None:
            self.history = _load(self.json_path, start_at)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the epoch's results, and rewrite both files."""
        results = {} if logs is None else logs
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and ("learning_rate" in self.history or not self.history):
            results["learning_rate"] = _learning_rate(optimizer)
        for name in results:
            self.history.setdefault(name, [None] * self._epochs)
        for name, values in self.history.items():
            values.append(plain(results[name]) if name in results else None)
        self._epochs += 1
        if not self._writes:
            return
        if self.json_path is not None:
            write_json(self.json_path, self.history)
        with replacing(self.fig_path) as temporary:
            self._draw(temporary)

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure

        shown = [name for name in ("loss", self._drawn()) if name in self.history or f"val_{name}" in self.history]
        figure = Figure(figsize=(5 * max(len(shown), 1), 4), layout="constrained")
        for axis, name in zip(figure.subplots(1, max(len(shown), 1), squeeze=False)[0], shown, strict=False):
            title = name.replace("_", " ").capitalize()
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                known = {epoch: value for epoch, value in enumerate(self.history.get(key, []), 1) if value is not None}
                if known:
                    axis.plot(list(known), [np.mean(v) for v in known.values()], marker="o", markersize=3, label=label)
                    axis.legend()
                vector = next((value for value in known.values() if isinstance(value, list)), None)
                title = f"{name}, mean of {len(vector)} values".replace("_", " ").capitalize() if vector else title
            axis.set(title=title, xlabel="epoch")
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.3)
        figure.savefig(path, dpi=120)

    def _drawn(self) -> str:
        """Return the metric that is drawn beside the loss; "" if there is none."""
        others = [name for name in self.history if not name.startswith(("val_", "loss", "learning_rate"))]
        accuracies = [name for name in others if "acc" in name]
        return self._metric or next(iter([*accuracies, *others]), "")


def _learning_rate(optimizer: Any) -> float:
    rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
    return float(str(rate))  # 0.001 where float() makes 0.0010000000474974513 of a float32


def _load(path: Path, epochs: int) -> dict[str, list[Value | None]]:
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
