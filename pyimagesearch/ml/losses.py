"""Losses of linear classifiers, each with its derivative.

All take scores, float64 of shape (n, columns), and true classes, int64 of shape (n,). Two classes share one
column, whose positive scores mean class 1; more classes have a column each. All return the sum of the
losses of the rows, and its derivative by the scores.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, log_expit, log_softmax

Loss = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def columns_for(classes: int) -> int:
    """Return how many columns of scores there are for a number of classes."""
    return 1 if classes == 2 else classes


def log_loss(scores: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Logistic loss of two classes, cross-entropy of the softmax of more."""
    if scores.shape[1] == 1:
        signs = _signs(scores, truth)
        margins = signs * scores
        return float(np.logaddexp(0, -margins).sum()), -signs * expit(-margins)
    rows = np.arange(len(scores))
    logarithms = log_softmax(scores, axis=1)
    derivative = np.exp(logarithms)
    derivative[rows, truth] -= 1
    return float(-logarithms[rows, truth].sum()), derivative


def squared_hinge(scores: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Squared hinge loss, of each class against the rest."""
    signs = _signs(scores, truth)
    slack = np.maximum(1 - signs * scores, 0)
    return float((slack**2).sum()), -2 * signs * slack


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of shape (n, classes) whose logarithms differ as the scores do."""
    if scores.shape[1] == 1:
        return np.hstack((expit(-scores), expit(scores)))
    return np.exp(log_softmax(scores, axis=1))


def one_against_rest(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of shape (n, classes) in the ratios of those of each class against the rest."""
    return softmax(scores if scores.shape[1] == 1 else log_expit(scores))


def decide(scores: np.ndarray) -> np.ndarray:
    """Return the class that scores speak for, int64 of shape (n,)."""
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def _signs(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return 1 where a score should be positive, else -1."""
    columns = scores.shape[1]
    belongs = truth[:, None] == (np.arange(columns) if columns > 1 else 1)
    return np.where(belongs, 1.0, -1.0)
