"""Plots of the results of a classifier."""

import os
from collections.abc import Sequence

import numpy as np

from pyimagesearch.utils.atomic import replacing


def draw_confusion_matrix(
    truth: np.ndarray, predictions: np.ndarray, names: Sequence[str], path: str | os.PathLike[str]
) -> None:
    """Draw a confusion matrix: counts, and their shares of the true class.

    Args:
        truth: true classes, of shape (n,).
        predictions: predicted classes, of shape (n,).
        names: the classes in the order of the axes.
        path: the picture; its suffix determines the format.
    """
    from matplotlib.figure import Figure
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(truth, predictions, labels=list(names))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.5 + 0.6 * len(names)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(names))
    axis.set_xticks(ticks, names, rotation=45 if len(names) > 3 else 0, parse_math=False)
    axis.set_yticks(ticks, names, parse_math=False)
    axis.set(xlabel="predicted", ylabel="true", title=f"{np.trace(counts):,} of {counts.sum():,} correct")
    for row, column in np.ndindex(*counts.shape):
        axis.text(
            column, row, f"{counts[row, column]:,}\n{shares[row, column]:.1%}", ha="center", va="center",
            color="white" if shares[row, column] > 0.5 else "black",
        )  # fmt: skip
    figure.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
