"""What a classifier makes of features that it has not seen."""

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.classifierfile import Classifier
from pyimagesearch.ml.search import KINDS, Candidate


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


def predict(classifier: Classifier, features: FeatureFile, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Let a classifier predict ``rows``, block by block.

    Returns:
        (predictions, probabilities): for each row the number of its class in ``features.names``, int64 of shape (n,),
        and the probability of each, float64 of shape (n, classes); None if the classifier gives none.

    Raises:
        UserError: a feature is no finite number.
    """
    has_probabilities = hasattr(classifier.estimator, "predict_proba")
    predictions, probabilities = [], []
    for block in features.read_blocks(rows):
        predictions.append(classifier.estimator.predict(block))
        if has_probabilities:
            probabilities.append(classifier.predict_proba(block))
    numbers = np.searchsorted(features.names, np.concatenate(predictions))
    return numbers, np.concatenate(probabilities) if has_probabilities else None


def in_words(candidate: Candidate) -> str:
    """Return how a C did: means over the folds, with the standard deviation."""
    words = f"C = {candidate.c:g}: accuracy {np.mean(candidate.accuracy):.2%} ± {np.std(candidate.accuracy):.2%}"
    if candidate.log_loss:
        words += f", log loss {np.mean(candidate.log_loss):.4f} ± {np.std(candidate.log_loss):.4f}"
    return words
