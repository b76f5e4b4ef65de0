"""Confusion matrices: drawn, and the pairs of classes that are confused most."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyimagesearch.utils.atomic import replacing

MOST_IN_WORDS = 20
"""Classes whose counts are still read one by one."""

_TICKS = 40  # names along an axis


def most_confused(names: Sequence[str], counts: Any, most: int = 20) -> list[dict[str, Any]]:
    """Return the pairs of classes that are confused most, the most frequent first.

    Args:
        names: the k classes.
        counts: whole numbers of shape (k, k): [true class][predicted class].
        most: how many pairs to return.

    Returns:
        For each pair ``label`` and ``predicted``, names of classes; ``images``, their number; ``share`` of the
        label's images.
    """
    matrix = np.array(counts, np.int64).reshape(len(names), len(names))
    images = matrix.sum(axis=1)
    np.fill_diagonal(matrix, 0)
    true, predicted = np.nonzero(matrix)
    order = np.argsort(-matrix[true, predicted], kind="stable")[:most]
    return [
        {
            "label": names[i],
            "predicted": names[j],
            "images": int(matrix[i, j]),
            "share": float(matrix[i, j] / images[i]),
        }
        for i, j in zip(true[order].tolist(), predicted[order].tolist(), strict=True)
    ]


def draw_confusion_matrix(
    truth: np.ndarray, predictions: np.ndarray, names: Sequence[str], path: str | os.PathLike[str]
) -> None:
    """Draw a confusion matrix: shares of the true class as colours, and for up to 20 classes in words, with counts.

    The picture grows with up to 20 classes. Of more than 40, every second, third, ... has its name at the axes.

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
    side = 2.5 + 0.6 * min(len(names), MOST_IN_WORDS)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(0, len(names), -(-len(names) // _TICKS))
    words = [names[tick] for tick in ticks]
    axis.set_xticks(ticks, words, rotation=90 if len(names) > MOST_IN_WORDS else 45 if len(names) > 3 else 0,
                    parse_math=False)  # fmt: skip
    axis.set_yticks(ticks, words, parse_math=False)
    axis.set(xlabel="predicted", ylabel="true", title=f"{np.trace(counts):,} of {counts.sum():,} correct")
    for row, column in np.ndindex(*counts.shape) if len(names) <= MOST_IN_WORDS else ():
        axis.text(
            column, row, f"{counts[row, column]:,}\n{shares[row, column]:.1%}", ha="center", va="center",
            color="white" if shares[row, column] > 0.5 else "black",
        )  # fmt: skip
    figure.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
