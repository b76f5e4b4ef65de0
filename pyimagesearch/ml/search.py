"""Finds the C of a linear classifier by k-fold cross-validation, and trains it on all rows."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
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

from pyimagesearch.cluster.tasks import Cluster, Work
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml import losses
from pyimagesearch.ml.linear import Standardized, fit_lbfgs, fit_sgd
from pyimagesearch.utils.parallel import cpu_count


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


class Grid(NamedTuple):
    """What all fits of a search have in common.

    Attributes:
        features: the file of features; its path, where the fits are made in other processes.
        in_memory: as of `FeatureFile`, for those.
        rows, folds, kind, seed: as of `search`.
    """

    features: FeatureFile | str
    in_memory: bool | None
    rows: np.ndarray
    folds: int
    kind: str
    seed: int


class Fit(NamedTuple):
    """A task: to train with one C on one fold.

    Attributes:
        number: of the C, in the order given.
        c: its value.
        fold: number of the fold.
        start: the weights that the C before it found on this fold; None for the first.
    """

    number: int
    c: float
    fold: int
    start: np.ndarray | None


def fit_fold(grid: Grid, fit: Fit, work: Work) -> tuple[np.ndarray, np.ndarray]:
    """Return weights, and the scores that they give the rows of the fold that were not trained on."""
    features = grid.features
    if not isinstance(features, FeatureFile):
        path, neighbours = features, max(1, cpu_count() // work.threads)
        features = work.keep("features", lambda: FeatureFile(path, grid.in_memory, neighbours))
    watched, rows = features.watched(lambda: work.report(0)), grid.rows
    train, test = work.keep("splits", lambda: _splits(watched.labels[rows], grid.folds))[fit.fold]
    data = work.keep(f"fold {fit.fold}", lambda: Standardized.fit(watched, rows[train]))._replace(features=watched)
    with _computing(work.threads) as pool:
        weights = KINDS[grid.kind].fit(data, fit.c, fit.start, grid.seed, pool)
        return weights, data.scores(weights, rows[test])


@contextlib.contextmanager
def _computing(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Let threads of a pool compute, and BLAS none of its own."""
    with threadpool_limits(1), ThreadPoolExecutor(threads, thread_name_prefix="search") as pool:
        yield pool


def _splits(truth: np.ndarray, folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(StratifiedKFold(folds).split(truth, truth))


def search(
    features: FeatureFile,
    rows: np.ndarray,
    kind: str,
    c_values: Sequence[float],
    folds: int = 3,
    threads: int = 1,
    seed: int = 0,
    cluster: Cluster | None = None,
) -> Search:
    """Try every C on ``folds`` folds, as scikit-learn's GridSearchCV, and train with the best.

    The folds are GridSearchCV's. Features are standardised once a fold, a fit begins where that of the C
    before it ended, and threads share the rows: the result does not depend on their number, nor on the cluster.

    Args:
        features: the file of features.
        rows: int64 ndarray of shape (n,): the rows to train on, in the order that decides the folds.
        kind: "logistic", "linear-svm" (squared hinge loss) or "sgd" (logistic loss), each with an L2 penalty.
        c_values: inverse strengths of the penalty, above 0; ascending ones are fastest.
        folds: at least 2, and at most the rows of the rarest class.
        threads: how many work at once in this process.
        seed: of the order of rows in stochastic gradient descent.
        cluster: where the folds are tried, one task for each C and fold; in this process if None. The last fit, to all
            rows, is always made here.

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
    model, splits = KINDS[kind], _splits(truth, folds)
    cluster = cluster or ThisProcess(threads)
    source = os.path.abspath(features.path) if cluster.elsewhere else features
    grid = Grid(source, None if features.in_memory else False, rows, folds, kind, seed)
    fits = cluster.run(
        partial(fit_fold, grid), [Fit(0, c_values[0], fold, None) for fold in range(folds)],
        label="Tuning C", total=folds * len(c_values), follow=partial(_next_fit, c_values),
    )  # fmt: skip
    candidates, best, best_scores, start = [], None, None, None
    found: list[dict[int, tuple[np.ndarray, np.ndarray]]] = [{} for _ in c_values]
    with contextlib.closing(fits):
        for fit, result in fits:
            of_c = found[fit.number]
            of_c[fit.fold] = result
            if len(of_c) < folds:
                continue
            scores = np.empty((len(rows), losses.columns_for(len(counts))))
            for fold, (_, test) in enumerate(splits):
                scores[test] = of_c[fold][1]
            candidates.append(_measure(fit.c, [(scores[test], truth[test]) for _, test in splits], model))
            if best is None or np.mean(candidates[-1].accuracy) > np.mean(best.accuracy):
                best, best_scores, start = candidates[-1], scores, of_c[0][0]
            of_c.clear()
    assert best is not None
    assert best_scores is not None
    with _computing(threads) as pool:
        whole = Standardized.fit(features, rows)
        final = model.fit(whole, best.c, start, seed, pool)
    estimator = fitted(model.estimator(best.c, len(rows)), final[:, :-1], final[:, -1], features.names)
    return Search(candidates, best, best_scores, make_pipeline(whole.scaler, estimator))


def _next_fit(c_values: Sequence[float], fit: Fit, result: tuple[np.ndarray, np.ndarray]) -> Fit | None:
    """Return the fit that begins where another one ended, if there is a larger C."""
    number = fit.number + 1
    return Fit(number, c_values[number], fit.fold, result[0]) if number < len(c_values) else None


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
