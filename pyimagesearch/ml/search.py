"""Finds the C of a linear classifier by k-fold cross-validation, and trains it on all rows."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from pyimagesearch.errors import UserError
from pyimagesearch.ml import losses
from pyimagesearch.ml.features import FeatureFile
from pyimagesearch.ml.linear import Standardized, fit_lbfgs, fit_sgd
from pyimagesearch.utils.progress import progress


class Kind(NamedTuple):
    """A kind of linear classifier.

    Attributes:
        fit: takes data, C, weights to start with, a seed and threads; returns weights.
        probabilities: turns scores into probabilities; None if it has none.
        estimator: takes C and the number of rows; returns scikit-learn's unfitted model of this kind.
    """

    fit: Callable[[Standardized, float, np.ndarray | None, int, ThreadPoolExecutor], np.ndarray]
    probabilities: Callable[[np.ndarray], np.ndarray] | None
    estimator: Callable[[float, int], Any]


KINDS = {
    "logistic": Kind(
        lambda data, c, start, seed, pool: fit_lbfgs(data, losses.log_loss, c, start, pool),
        losses.softmax,
        lambda c, n: LogisticRegression(C=c),
    ),
    "linear-svm": Kind(
        lambda data, c, start, seed, pool: fit_lbfgs(data, losses.squared_hinge, c, start, pool),
        None,
        lambda c, n: LinearSVC(C=c),
    ),
    "sgd": Kind(
        lambda data, c, start, seed, pool: fit_sgd(data, c, seed),
        losses.one_against_rest,
        lambda c, n: SGDClassifier(loss="log_loss", alpha=1 / (c * n), average=True),
    ),
}


class Candidate(NamedTuple):
    """How a value of C did.

    Attributes:
        c: the value.
        accuracy: of each fold, in [0, 1].
        log_loss: of each fold, in nats; empty for classifiers without probabilities.
    """

    c: float
    accuracy: list[float]
    log_loss: list[float]


class Search(NamedTuple):
    """What a search found.

    Attributes:
        candidates: every C in the order given.
        best: the one of highest mean accuracy; the first of equals.
        scores: float64 ndarray of shape (n, columns): those of each row by the model of ``best`` that did not see it.
        pipeline: StandardScaler and classifier of C ``best.c``, fitted to all rows and the names of their classes.
    """

    candidates: list[Candidate]
    best: Candidate
    scores: np.ndarray
    pipeline: Pipeline


def search(
    features: FeatureFile,
    rows: np.ndarray,
    kind: str,
    c_values: Sequence[float],
    folds: int = 3,
    threads: int = 1,
    seed: int = 0,
) -> Search:
    """Try every C on ``folds`` folds, as scikit-learn's GridSearchCV, and train with the best.

    The folds are GridSearchCV's. Features are standardised once a fold, a fit begins where that of the C
    before it ended, and threads share the rows: the result does not depend on their number.

    Args:
        features: the file of features.
        rows: int64 ndarray of shape (n,): the rows to train on, in the order that decides the folds.
        kind: "logistic", "linear-svm" (squared hinge loss) or "sgd" (logistic loss), each with an L2 penalty.
        c_values: inverse strengths of the penalty, above 0; ascending ones are fastest.
        folds: at least 2, and at most the rows of the rarest class.
        threads: how many work at once.
        seed: of the order of rows in stochastic gradient descent.

    Raises:
        UserError: there are too few rows for the folds, or a feature is no finite number.
    """
    truth = features.labels[rows]
    counts = np.bincount(truth, minlength=len(features.names))
    if not 2 <= folds <= counts.min():
        raise UserError(
            f"--folds: must be from 2 to {counts.min()}, the training rows of the rarest class "
            f"({features.names[counts.argmin()]!r}); received {folds}; ask for fewer folds or add images"
        )
    model = KINDS[kind]
    splits = list(StratifiedKFold(folds).split(truth, truth))
    with threadpool_limits(1), ThreadPoolExecutor(threads, thread_name_prefix="search") as pool:
        data = [Standardized.fit(features, rows[train]) for train, _ in splits]
        weights: list[np.ndarray | None] = [None] * folds
        candidates, best, best_scores, start = [], None, None, None
        fits = progress(((c, fold) for c in c_values for fold in range(folds)), folds * len(c_values), "Tuning C")
        scores = np.empty((len(rows), losses.columns_for(len(counts))))
        for c, fold in fits:
            test = splits[fold][1]
            found = weights[fold] = model.fit(data[fold], c, weights[fold], seed, pool)
            scores[test] = data[fold].scores(found, rows[test])
            if fold < folds - 1:
                continue
            candidates.append(_measure(c, [(scores[test], truth[test]) for _, test in splits], model))
            if best is None or np.mean(candidates[-1].accuracy) > np.mean(best.accuracy):
                best, best_scores, start = candidates[-1], scores.copy(), weights[0]
        assert best is not None
        assert best_scores is not None
        whole = Standardized.fit(features, rows)
        final = model.fit(whole, best.c, start, seed, pool)
    estimator = fitted(model.estimator(best.c, len(rows)), final[:, :-1], final[:, -1], features.names)
    return Search(candidates, best, best_scores, make_pipeline(whole.scaler, estimator))


def fitted(estimator: Any, coef: np.ndarray, intercept: np.ndarray, names: Sequence[str]) -> Any:
    """Give one of scikit-learn's linear classifiers the weights that were found for it.

    Args:
        estimator: a LogisticRegression, LinearSVC or SGDClassifier.
        coef: ndarray of shape (columns, d).
        intercept: ndarray of shape (columns,).
        names: the classes, sorted.
    """
    estimator.coef_, estimator.intercept_ = coef, intercept
    estimator.classes_, estimator.n_features_in_ = np.array(names), coef.shape[1]
    return estimator


def _measure(c: float, folds: list[tuple[np.ndarray, np.ndarray]], kind: Kind) -> Candidate:
    accuracy = [float((losses.decide(scores) == truth).mean()) for scores, truth in folds]
    if kind.probabilities is None:
        return Candidate(c, accuracy, [])
    labels = np.unique(folds[0][1])
    loss = partial(metrics.log_loss, labels=labels)
    return Candidate(c, accuracy, [float(loss(truth, kind.probabilities(scores))) for scores, truth in folds])
