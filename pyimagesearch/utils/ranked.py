"""Rank-1 and rank-5 accuracy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError


def rank5_accuracy(preds: Any, labels: Any) -> tuple[float, float]:
    """Return the fractions of rows whose true class has the best score, and one of the five best.

    With five classes or fewer the second fraction is 1.0 by definition. Equal scores are ranked by the index of the
    class, the lower first.

    Args:
        preds: array, list or HDF5 dataset of shape (n, classes): scores or
            probabilities.
        labels: array, list or HDF5 dataset of shape (n,): the true classes as integers, or
            one-hot of shape (n, classes).

    Returns:
        (rank1, rank5), each in [0, 1].

    Raises:
        UserError: the lengths differ, nothing was predicted, or a label is no class of ``preds``.
    """
    scores = _matrix(preds)
    truth = np.asarray(labels[:] if hasattr(labels, "shape") else labels)
    n, classes = scores.shape
    if truth.ndim == 2 and truth.shape[1] == classes:
        truth = truth.argmax(axis=1)
    if truth.ndim != 1 or truth.dtype.kind not in "iuf" or (truth != truth.astype(np.int64)).any():
        raise UserError(
            f"labels: must be whole numbers of shape (n,), or one-hot rows of shape (n, {classes}); received "
            f"shape {truth.shape}, dtype {truth.dtype}; pass the indices of the classes"
        )
    if len(truth) != n or n == 0:
        raise UserError(
            f"labels: must be as many as the predictions, and at least one; received {len(truth)} labels "
            f"for {n} predictions; predict every row once (len(generator) batches)"
        )
    truth = truth.astype(np.int64)
    if truth.min() < 0 or truth.max() >= classes:
        raise UserError(
            f"labels: must lie in 0..{classes - 1}, since preds has {classes} columns; "
            f"received {truth.min()}..{truth.max()}; check the model's number of classes"
        )
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, : min(5, classes)]
    hits = ranked == truth[:, None]
    return float(hits[:, 0].mean()), float(hits.any(axis=1).mean())


def _matrix(preds: Any) -> np.ndarray:
    rows: Sequence[Any] = preds[:] if hasattr(preds, "shape") else preds
    scores = np.asarray(rows, dtype=np.float64)
    if scores.ndim != 2:
        raise UserError(
            f"preds: must have shape (n, classes); received shape {scores.shape}; "
            "pass the output of model.predict as it is"
        )
    if np.isnan(scores).any():
        raise UserError("preds: must be numbers; received NaN; check the training loss of the model")
    return scores
