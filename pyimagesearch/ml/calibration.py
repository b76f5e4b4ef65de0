"""Probabilities that mean what they say: of the images given 0.8, four in five are of that class."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from pyimagesearch.ml.search import Search, fitted


def calibrate(found: Search, truth: np.ndarray) -> Pipeline:
    """Return the classifier that a search found, with calibrated probabilities.

    Scores of rows by models that did not see them are fitted to probabilities: two classes by Platt
    scaling (Platt, "Probabilistic Outputs for Support Vector Machines", 1999), more by the same with the softmax,
    one slope and an offset for each class. A linear function of linear scores is linear: the result is
    a plain LogisticRegression.

    Args:
        found: the search, of any kind of classifier.
        truth: int64 ndarray of shape (n,): the classes of the rows that were searched, from 0 to k - 1.
    """
    scaler, model = found.pipeline
    slope, offsets = fit_sigmoid(found.scores, truth)
    estimator = LogisticRegression(C=found.best.c)
    coef, intercept = slope * model.coef_, slope * model.intercept_ + offsets
    return make_pipeline(scaler, fitted(estimator, coef, intercept, model.classes_))


def fit_sigmoid(scores: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the slope and the offsets of scores that minimise the log loss.

    The true class of a row counts (r + 1) / (r + 2), where r is the number of its rows, and the others share the
    rest: Platt's guard against certainty that so many rows cannot give.

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
    size = np.abs(wide).max() or 1.0  # a slope near 1 is found however large the scores are

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logarithms = log_softmax(parameters[0] / size * wide + parameters[1:], axis=1)
        derivative = np.exp(logarithms) - targets
        gradient = np.append((derivative * wide).sum() / size, derivative.sum(axis=0))
        return -(targets * logarithms).sum() / n, gradient / n

    begin = np.append(size, np.zeros(classes))
    slope, *offsets = minimize(objective, begin, jac=True, method="L-BFGS-B", options={"gtol": 1e-7}).x
    shifts = np.array(offsets)
    return float(slope / size), shifts[1:] - shifts[:1] if binary else shifts
