"""Calibrated probabilities: of the images given 0.8, four in five are of that class."""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from pyimagesearch.ml.linear import with_weights


def calibrate(model: Any, c: float, scores: np.ndarray, truth: np.ndarray) -> LogisticRegression:
    """Return a linear classifier with calibrated probabilities.

    Probabilities are fitted to scores that come from models which were not trained on these rows: for two classes by
    Platt scaling (Platt, "Probabilistic Outputs for Support Vector Machines", 1999), for more by the same with the
    softmax, one slope and an offset for each class. A linear function of linear scores is linear: the result
    is a plain LogisticRegression.

    Args:
        model: any fitted linear classifier of scikit-learn.
        c: its C.
        scores: float64 ndarray of shape (n, 1) for two classes, else (n, k): those of the held-out rows.
        truth: int64 ndarray of shape (n,): the classes of the rows, from 0 to k - 1.
    """
    slope, offsets = fit_sigmoid(scores, truth)
    coef, intercept = slope * model.coef_, slope * model.intercept_ + offsets
    return with_weights(LogisticRegression(C=c), coef, intercept, model.classes_)


def fit_sigmoid(scores: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the slope and the offsets of scores that minimise the log loss.

    The target of the true class is (r + 1) / (r + 2), where r is the number of its rows, and the other classes share
    the rest: Platt's guard against a certainty that so few rows cannot give.

    Args:
        scores: float64 ndarray of shape (n, 1) for two classes, else (n, k).
        truth: int64 ndarray of shape (n,).

    Returns:
        A float, and a float64 ndarray of shape (columns,).
    """
    binary = scores.shape[1] == 1
    wide = np.hstack((np.zeros_like(scores), scores)) if binary else scores
    n, classes = wide.shape
    rest = 1 / (np.bincount(truth, minlength=classes) + 2)
    targets = np.repeat((rest / (classes - 1))[truth, None], classes, axis=1)
    targets[np.arange(n), truth] = 1 - rest[truth]
    size = np.abs(wide).max() or 1.0  # the optimum is near 1 for scores of any scale

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logarithms = log_softmax(parameters[0] / size * wide + parameters[1:], axis=1)
        derivative = np.exp(logarithms) - targets
        gradient = np.append((derivative * wide).sum() / size, derivative.sum(axis=0))
        return -(targets * logarithms).sum() / n, gradient / n

    begin = np.append(size, np.zeros(classes))
    slope, *offsets = minimize(objective, begin, jac=True, method="L-BFGS-B", options={"gtol": 1e-7}).x
    shifts = np.array(offsets)
    return float(slope / size), shifts[1:] - shifts[:1] if binary else shifts
