"""Train linear classifiers on standardised features, reading them block by block.

Nothing held in memory is larger than a block of rows, the weights, or one number for each row, so features may exceed
memory by far. L-BFGS passes over all rows until it reaches the optimum, whatever the order of the rows; SGD
comes close to it in a fixed number of epochs.

Scores are float64 of shape (n, columns). Two classes share one column, in which a positive score means class 1; more
classes have one column each. Losses take scores and the true classes, int64 of shape (n,), and return
the loss of each row, float64 of shape (n,), and its derivative with respect to the row's scores.
"""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pyimagesearch.features.featurefile import FeatureFile

Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_LANES = 8  # partial sums, whatever the number of threads: the result does not depend on it
_TOLERANCE = 1e-5  # largest component of the gradient at which L-BFGS stops
_GOOD_ENOUGH = 1e-4  # scikit-learn's tolerance: no warning if rounding in float32 stops L-BFGS between the two
_FLOAT64_NUMBERS = 2**24  # up to here float64 costs no time, and few rows with a small C need its precision
_SGD_EPOCHS = 10


@dataclass(frozen=True)
class Standardized:
    """Rows of features, read with a mean of 0; weights are for a variance of 1.

    Attributes:
        features: the source of the rows.
        scaler: standardises them; fitted to ``rows``.
        mean: ndarray of shape (d,), of the dtype to calculate in.
        rows: int64 ndarray of shape (n,), sorted: the training rows.
        truth: int64 ndarray of shape (n,): their classes.
        classes: the number of classes.
        weights: float64 ndarray of shape (n,): how much the loss of each training row counts; None for all alike.
    """

    features: FeatureFile
    scaler: StandardScaler
    mean: np.ndarray
    rows: np.ndarray
    truth: np.ndarray
    classes: int
    weights: np.ndarray | None = None

    @classmethod
    def fit(cls, features: FeatureFile, rows: np.ndarray, balanced: bool = False) -> "Standardized":
        """Learn mean and variance of ``rows``.

        Args:
            balanced: weight rows by n / (classes * rows of their class), so that all classes count alike.

        Raises:
            UserError: a feature is not a finite number.
        """
        rows, scaler = np.sort(rows), StandardScaler()
        for block in features.read_blocks(rows):
            scaler.partial_fit(block)
        few = len(rows) * features.shape[1] <= _FLOAT64_NUMBERS
        mean = scaler.mean_.astype(np.float64 if few else np.float32)
        truth, classes = features.labels[rows], len(features.names)
        weights = (len(rows) / (classes * np.bincount(truth, minlength=classes)))[truth] if balanced else None
        return cls(features, scaler, mean, rows, truth, classes, weights)

    def read_centered(self, rows: np.ndarray) -> np.ndarray:
        """Return ``rows`` minus the mean, of shape (len(rows), d); `rescaled` weights take care of the variance."""
        block = self.features.read(rows).astype(self.mean.dtype, copy=False)
        block -= self.mean
        return block

    def scores(self, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the scores of ``rows``, float64 of shape (len(rows), columns)."""
        coef, intercept = self.rescaled(weights), weights[:, -1]
        return np.concatenate([self.read_centered(block) @ coef + intercept for block in self.features.blocks(rows)])

    def rescaled(self, weights: np.ndarray) -> np.ndarray:
        """Convert weights of standardised features to weights of centred ones, of shape (d, columns)."""
        return (weights[:, :-1] / self.scaler.scale_).astype(self.mean.dtype).T


def fit_lbfgs(
    data: Standardized, loss: Loss, c: float, start: np.ndarray | None, pool: ThreadPoolExecutor
) -> np.ndarray:
    """Minimise C times the sum of a loss plus half the squared weights, as scikit-learn's linear models do.

    Args:
        data: the training rows.
        loss: `log_loss` or `squared_hinge`.
        c: inverse strength of the penalty, above 0; intercepts are not penalised.
        start: initial weights, such as those of a smaller C; zeros if None.
        pool: threads that work on blocks of rows.

    Returns:
        float64 ndarray of shape (columns, d + 1): weights of the standardised features, then the intercept.
    """
    n, d = len(data.rows), data.features.shape[1]
    shape = (columns_for(data.classes), d + 1)
    blocks = data.features.blocks(np.arange(n))

    def sums(lane: int, coef: np.ndarray, intercept: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = 0.0, np.zeros(shape)
        for block in blocks[lane::_LANES]:
            centered = data.read_centered(data.rows[block])
            losses, derivative = loss(centered @ coef + intercept, data.truth[block])
            if data.weights is not None:
                losses, derivative = losses * data.weights[block], derivative * data.weights[block, None]
            total += float(losses.sum())
            gradient[:, :-1] += derivative.T.astype(centered.dtype) @ centered
            gradient[:, -1] += derivative.sum(axis=0)
        return total, gradient

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        coef, intercept = data.rescaled(weights), weights[:, -1]
        total, gradient = 0.0, np.zeros(shape)
        for value, lane_gradient in pool.map(lambda lane: sums(lane, coef, intercept), range(_LANES)):
            total += value
            gradient += lane_gradient
        gradient /= n
        gradient[:, :-1] /= data.scaler.scale_
        gradient[:, :-1] += weights[:, :-1] / (c * n)
        return total / n + (weights[:, :-1] ** 2).sum() / (2 * c * n), gradient.ravel()

    begin = np.zeros(shape) if start is None else start
    options = {"gtol": _TOLERANCE, "ftol": 64 * np.finfo(float).eps, "maxiter": 10_000, "maxfun": 20_000, "maxls": 50}
    found = minimize(objective, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    largest = np.abs(found.jac).max()
    if largest > _GOOD_ENOUGH:
        message = f"C = {c}: L-BFGS stopped at a gradient of {largest:.1e} ({found.message})"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    return found.x.reshape(shape)


def fit_sgd(data: Standardized, c: float, seed: int) -> np.ndarray:
    """Approximate the minimum of `fit_lbfgs` for the logistic loss, each class against the rest.

    Uses stochastic gradient descent with averaged weights, and draws a new order of the rows for every epoch.

    Returns:
        float64 ndarray of shape (columns, d + 1), as `fit_lbfgs`.
    """
    n, rng = len(data.rows), np.random.default_rng(seed)
    scale = data.scaler.scale_.astype(data.mean.dtype)
    model = SGDClassifier(loss="log_loss", alpha=1 / (c * n), average=True, shuffle=False)
    for _ in range(_SGD_EPOCHS):
        for block in data.features.blocks(rng.permutation(n)):
            standardized = data.read_centered(data.rows[block]) / scale
            weights = None if data.weights is None else data.weights[block]
            model.partial_fit(standardized, data.truth[block], np.arange(data.classes), weights)
    return np.column_stack((model.coef_, model.intercept_)).astype(np.float64)


def with_weights(estimator: Any, coef: np.ndarray, intercept: np.ndarray, names: Sequence[str]) -> Any:
    """Return one of scikit-learn's linear classifiers, made a fitted one by weights that were found elsewhere.

    Args:
        estimator: a LogisticRegression, LinearSVC or SGDClassifier.
        coef: ndarray of shape (columns, d).
        intercept: ndarray of shape (columns,).
        names: the classes, sorted.
    """
    estimator.coef_, estimator.intercept_ = coef, intercept
    estimator.classes_, estimator.n_features_in_ = np.array(names), coef.shape[1]
    return estimator


def columns_for(classes: int) -> int:
    """Return the number of columns of scores for a number of classes."""
    return 1 if classes == 2 else classes


def log_loss(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic loss of two classes, cross-entropy of the softmax of more."""
    if scores.shape[1] == 1:
        signs = _signs(scores, truth)
        margins = signs * scores
        return np.logaddexp(0, -margins)[:, 0], -signs * expit(-margins)
    rows = np.arange(len(scores))
    logarithms = log_softmax(scores, axis=1)
    derivative = np.exp(logarithms)
    derivative[rows, truth] -= 1
    return -logarithms[rows, truth], derivative


def squared_hinge(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared hinge loss of each class against the rest."""
    signs = _signs(scores, truth)
    slack = np.maximum(1 - signs * scores, 0)
    return (slack**2).sum(axis=1), -2 * signs * slack


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of shape (n, classes) whose logarithms differ as the scores do."""
    if scores.shape[1] == 1:
        return np.hstack((expit(-scores), expit(scores)))
    return np.exp(log_softmax(scores, axis=1))


def one_against_rest(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of shape (n, classes), proportional to those of each class against the rest."""
    return softmax(scores if scores.shape[1] == 1 else log_expit(scores))


def decide(scores: np.ndarray) -> np.ndarray:
    """Return the class with the highest score, int64 of shape (n,)."""
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def _signs(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return 1 where a score should be positive, else -1."""
    columns = scores.shape[1]
    belongs = truth[:, None] == (np.arange(columns) if columns > 1 else 1)
    return np.where(belongs, 1.0, -1.0)


@dataclass(frozen=True)
class Kind:
    """A kind of linear classifier.

    Attributes:
        loss: minimised by L-BFGS; None for stochastic gradient descent.
        probabilities: turns scores into probabilities; None if the classifier has none.
        estimator: takes C and the number of rows; returns scikit-learn's unfitted model of this kind.
    """

    loss: Loss | None
    probabilities: Callable[[np.ndarray], np.ndarray] | None
    estimator: Callable[[float, int], Any]

    def fit(
        self, data: Standardized, c: float, start: np.ndarray | None, seed: int, pool: ThreadPoolExecutor
    ) -> np.ndarray:
        """Return weights, float64 of shape (columns, d + 1)."""
        if self.loss is None:
            return fit_sgd(data, c, seed)
        return fit_lbfgs(data, self.loss, c, start, pool)


def _sgd_classifier(c: float, n: int) -> SGDClassifier:
    return SGDClassifier(loss="log_loss", alpha=1 / (c * n), average=True)


KINDS = {
    "logistic": Kind(log_loss, softmax, lambda c, n: LogisticRegression(C=c)),
    "linear-svm": Kind(squared_hinge, None, lambda c, n: LinearSVC(C=c)),
    "sgd": Kind(None, one_against_rest, _sgd_classifier),
}
