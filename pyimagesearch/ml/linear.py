"""Trains linear classifiers on standardised features that are read block by block.

Nothing here is ever larger than a block of rows, the weights, or one number a row, so that features may
exceed memory by far. Full passes over all rows with L-BFGS make the result the optimum itself,
whatever the order of the rows; SGD comes near to it in a fixed number of epochs.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.losses import Loss, columns_for

_LANES = 8
"""Sums that threads work on: a fixed number, so that the result does not depend on the threads."""


_TOLERANCE, _ENOUGH = 1e-5, 1e-4
"""Largest derivative that L-BFGS aims for, and what scikit-learn is content with, should float32 end it earlier."""


_IN_FLOAT64 = 2**24
"""Up to so many numbers float64 costs nothing, and few rows need it: their penalty is steep where C is small."""


_SGD_EPOCHS = 10


class Standardized(NamedTuple):
    """Rows of features, to be read with a mean of 0 and a variance of 1.

    Attributes:
        features: where the rows are.
        scaler: what standardises them, fitted to ``rows``.
        mean: of each feature, of the dtype that is calculated in.
        rows: int64 ndarray of shape (n,), sorted: those that are trained on.
        truth: int64 ndarray of shape (n,): their classes.
        classes: how many classes there are.
    """

    features: FeatureFile
    scaler: StandardScaler
    mean: np.ndarray
    rows: np.ndarray
    truth: np.ndarray
    classes: int

    @classmethod
    def fit(cls, features: FeatureFile, rows: np.ndarray) -> "Standardized":
        """Learn mean and variance of ``rows``.

        Raises:
            UserError: a feature is no finite number.
        """
        rows, scaler = np.sort(rows), StandardScaler()
        for block in features.read_blocks(rows):
            scaler.partial_fit(block)
        few = len(rows) * features.shape[1] <= _IN_FLOAT64
        mean = scaler.mean_.astype(np.float64 if few else np.float32)
        return cls(features, scaler, mean, rows, features.labels[rows], len(features.names))

    def read_centered(self, rows: np.ndarray) -> np.ndarray:
        """Return ``rows`` with a mean of 0, as ndarray of shape (len(rows), d); weights take the scale."""
        block = self.features.read(rows).astype(self.mean.dtype, copy=False)
        block -= self.mean
        return block

    def scores(self, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the scores that ``weights`` give ``rows``, float64 of shape (len(rows), columns)."""
        coef, intercept = self.rescaled(weights), weights[:, -1]
        return np.concatenate([self.read_centered(block) @ coef + intercept for block in self.features.blocks(rows)])

    def rescaled(self, weights: np.ndarray) -> np.ndarray:
        """Return weights of centred features that stand for those of standardised ones, of shape (d, columns)."""
        return (weights[:, :-1] / self.scaler.scale_).astype(self.mean.dtype).T


def fit_lbfgs(
    data: Standardized, loss: Loss, c: float, start: np.ndarray | None, pool: ThreadPoolExecutor
) -> np.ndarray:
    """Minimise C times the sum of a loss, plus half the squared weights, as scikit-learn's linear models do.

    Args:
        data: what is trained on.
        loss: as `pyimagesearch.ml.losses` has them.
        c: inverse strength of the penalty, above 0; intercepts have none.
        start: weights to begin with, as those of a smaller C; zeros if None.
        pool: threads that work on blocks of rows.

    Returns:
        float64 ndarray of shape (columns, d + 1): weights of the standardised features, then the intercept.
    """
    n, d = len(data.rows), data.features.shape[1]
    shape = (columns_for(data.classes), d + 1)
    places = data.features.blocks(np.arange(n))

    def sums(lane: int, coef: np.ndarray, intercept: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = 0.0, np.zeros(shape)
        for place in places[lane::_LANES]:
            block = data.read_centered(data.rows[place])
            value, derivative = loss(block @ coef + intercept, data.truth[place])
            total += value
            gradient[:, :-1] += derivative.T.astype(block.dtype) @ block
            gradient[:, -1] += derivative.sum(axis=0)
        return total, gradient

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        coef, intercept = data.rescaled(weights), weights[:, -1]
        total, gradient = 0.0, np.zeros(shape)
        for value, part in pool.map(lambda lane: sums(lane, coef, intercept), range(_LANES)):
            total += value
            gradient += part
        gradient /= n
        gradient[:, :-1] /= data.scaler.scale_
        gradient[:, :-1] += weights[:, :-1] / (c * n)
        return total / n + (weights[:, :-1] ** 2).sum() / (2 * c * n), gradient.ravel()

    begin = np.zeros(shape) if start is None else start
    options = {"gtol": _TOLERANCE, "ftol": 64 * np.finfo(float).eps, "maxiter": 10_000, "maxfun": 20_000, "maxls": 50}
    found = minimize(objective, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    largest = np.abs(found.jac).max()
    if largest > _ENOUGH:
        warnings.warn(
            f"C = {c}: L-BFGS stopped at a derivative of {largest:.1e} ({found.message})", ConvergenceWarning,
            stacklevel=2,
        )  # fmt: skip
    return found.x.reshape(shape)


def fit_sgd(data: Standardized, c: float, seed: int) -> np.ndarray:
    """Come near to the minimum of `fit_lbfgs` for the logistic loss, of each class against the rest.

    Stochastic gradient descent with averaged weights, in an order of rows that is drawn anew for every epoch.

    Returns:
        float64 ndarray of shape (columns, d + 1), as `fit_lbfgs`.
    """
    n, rng = len(data.rows), np.random.default_rng(seed)
    scale = data.scaler.scale_.astype(data.mean.dtype)
    model = SGDClassifier(loss="log_loss", alpha=1 / (c * n), average=True, shuffle=False)
    for _ in range(_SGD_EPOCHS):
        for place in data.features.blocks(rng.permutation(n)):
            standardized = data.read_centered(data.rows[place]) / scale
            model.partial_fit(standardized, data.truth[place], np.arange(data.classes))
    return np.column_stack((model.coef_, model.intercept_)).astype(np.float64)
