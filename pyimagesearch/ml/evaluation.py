"""How good a classifier of features is."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import log_loss

from pyimagesearch.errors import UserError
from pyimagesearch.ml.classifierfile import Classifier
from pyimagesearch.ml.features import FeatureFile
from pyimagesearch.ml.search import KINDS, Candidate


class Evaluation(NamedTuple):
    """What a classifier made of rows that it had not seen.

    Attributes:
        truth: ndarray of shape (n,): the names of the rows' classes.
        predictions: ndarray of shape (n,): the names that the classifier gave them.
        accuracy: share of right ones, in [0, 1].
        log_loss: mean of -log(probability of the true class), in nats; None without probabilities.
    """

    truth: np.ndarray
    predictions: np.ndarray
    accuracy: float
    log_loss: float | None


def check_probabilities(kind: str, calibrated: bool, clip: float, classes: int) -> None:
    """Raise a `UserError` if probabilities cannot be clipped as asked for."""
    if clip and KINDS[kind].probabilities is None and not calibrated:
        raise UserError(
            f"--clip: needs probabilities, which {kind} has only with --calibrate; received {clip}; pass --calibrate"
        )
    if clip * classes >= 1:
        raise UserError(
            f"--clip: must be below 1/{classes}, what chance gives each of {classes} classes; received {clip}; lower it"
        )


def evaluate(classifier: Classifier, features: FeatureFile, rows: np.ndarray) -> Evaluation:
    """Let a classifier predict ``rows``, block by block.

    Raises:
        UserError: a feature is no finite number.
    """
    rows = np.sort(rows)
    has_probabilities = hasattr(classifier.estimator, "predict_proba")
    predictions, probabilities = [], []
    for block in features.read_blocks(rows):
        predictions.append(classifier.estimator.predict(block))
        if has_probabilities:
            probabilities.append(classifier.predict_proba(block))
    labels = features.labels[rows]
    truth, predicted = np.array(features.names)[labels], np.concatenate(predictions)
    known = np.arange(len(features.names))
    loss = float(log_loss(labels, np.concatenate(probabilities), labels=known)) if has_probabilities else None
    return Evaluation(truth, predicted, float((truth == predicted).mean()), loss)


def in_words(candidate: Candidate) -> str:
    """Return how a C did: means over the folds, with the standard deviation."""
    words = f"C = {candidate.c:g}: accuracy {np.mean(candidate.accuracy):.2%} ± {np.std(candidate.accuracy):.2%}"
    if candidate.log_loss:
        words += f", log loss {np.mean(candidate.log_loss):.4f} ± {np.std(candidate.log_loss):.4f}"
    return words
