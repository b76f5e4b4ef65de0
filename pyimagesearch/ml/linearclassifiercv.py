"""Linear classifiers with a cross-validated search over C, out of core and on a cluster."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn import metrics
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from pyimagesearch.cluster.tasks import Cluster, Work
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml import linear
from pyimagesearch.ml.calibration import calibrate
from pyimagesearch.ml.classifier import Classifier
from pyimagesearch.ml.confusion import most_confused
from pyimagesearch.ml.linear import KINDS, Kind, Standardized
from pyimagesearch.utils.parallel import cpu_count


@dataclass(frozen=True)
class CVResult:
    """The result of cross-validation with one C.

    Attributes:
        c: inverse strength of the penalty.
        accuracy: of each fold, in [0, 1].
        log_loss: of each fold, in nats; empty for classifiers without probabilities.
        balanced_accuracy: mean recall of the classes, of each fold; empty unless classes are weighted.
    """

    c: float
    accuracy: list[float]
    log_loss: list[float]
    balanced_accuracy: list[float] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The mean accuracy, balanced if the classes are weighted; the best C has the highest."""
        return float(np.mean(self.balanced_accuracy or self.accuracy))

    def __str__(self) -> str:
        words = f"C = {self.c:g}: accuracy {np.mean(self.accuracy):.2%} ± {np.std(self.accuracy):.2%}"
        if self.balanced_accuracy:
            words += f", balanced {np.mean(self.balanced_accuracy):.2%} ± {np.std(self.balanced_accuracy):.2%}"
        if self.log_loss:
            words += f", log loss {np.mean(self.log_loss):.4f} ± {np.std(self.log_loss):.4f}"
        return words


class LinearClassifierCV:
    """Linear classifier that finds its C by k-fold cross-validation, as scikit-learn's GridSearchCV does.

    The folds are those of GridSearchCV. Features are standardised once for each fold, a fit starts from the weights of
    the C before it, and threads share the rows: the result does not depend on their number, nor on the cluster::

        features = FeatureFile("features.hdf5")
        model = LinearClassifierCV(Cs=[0.01, 0.1, 1.0], cv=3).fit(features, train_rows)
        model.C_, model.predict(features.read(test_rows))

    Args:
        Cs: inverse strengths of the L2 penalty, above 0; ascending ones are fastest.
        cv: number of folds, from 2 to the number of rows of the rarest class.
        kind: "logistic" regression, "linear-svm" (squared hinge loss), or "sgd" (logistic regression by stochastic
            gradient descent).
        calibrate: whether to calibrate the probabilities on the held-out rows of the folds.
        clip: keep probabilities in [clip, 1 - clip]; below 1 / number of classes.
        class_weight: "balanced" weights rows by n / (classes * rows of their class), and looks for the C of the
            highest balanced accuracy; None weights all rows alike.
        seed: of the order of rows in stochastic gradient descent.
        jobs: threads of this process; all processors if None.
        cluster: runs the fits of the folds, one task for each C and fold; this process if None. The last fit, to all
            rows, always runs in this process.

    Attributes:
        C_: the C of the highest mean accuracy, balanced with ``class_weight``; the first of equals.
        cv_results_: a `CVResult` for each C, in the order given.
        cv_scores_: float64 ndarray of shape (n, columns): the scores of each row by the model with `C_` that was not
            trained on its fold.
        best_estimator_: scikit-learn Pipeline of a StandardScaler and the classifier, fitted to all rows.
        classes_: the names of the classes, sorted.
        classifier_: `best_estimator_` with ``clip`` and the recipe of its features: save this one.
    """

    def __init__(
        self,
        Cs: Sequence[float] = (0.0001, 0.001, 0.01, 0.1, 1.0),  # noqa: N803
        *,
        cv: int = 3,
        kind: str = "logistic",
        calibrate: bool = False,
        clip: float = 0.0,
        class_weight: str | None = None,
        seed: int = 0,
        jobs: int | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.Cs, self.cv, self.kind, self.calibrate, self.clip = Cs, cv, kind, calibrate, clip
        self.class_weight, self.seed, self.jobs, self.cluster = class_weight, seed, jobs or cpu_count(), cluster

    def fit(self, features: FeatureFile, rows: np.ndarray | None = None) -> Self:
        """Search for C on some rows of a file, and fit the best one to all of them.

        Args:
            features: the file of features; it knows the classes of its rows.
            rows: int64 ndarray of shape (n,), in the order that decides the folds; all rows if None.

        Raises:
            UserError: an argument is out of its range, or a feature is not a finite number.
        """
        rows = np.arange(len(features.labels)) if rows is None else rows
        truth, kind = features.labels[rows], KINDS[self.kind]
        self._validate(truth, features.names)
        splits = _splits(truth, self.cv)
        self.cv_results_: list[CVResult] = []
        best, start = -1.0, None
        for c, folds in self._cross_validate(features, rows):
            scores = np.empty((len(rows), linear.columns_for(len(features.names))))
            for (_, test), (_, fold_scores) in zip(splits, folds, strict=True):
                scores[test] = fold_scores
            of_folds = [(scores[test], truth[test]) for _, test in splits]
            result = _measure(c, of_folds, kind, self.class_weight is not None)
            self.cv_results_.append(result)
            if result.score > best:
                best, start = result.score, folds[0][0]
                self.C_, self.cv_scores_ = c, scores
        with _computing(self.jobs) as pool:
            data = Standardized.fit(features, rows, self.class_weight is not None)
            weights = kind.fit(data, self.C_, start, self.seed, pool)
        model = kind.estimator(self.C_, len(rows)).set_params(class_weight=self.class_weight)
        linear.with_weights(model, weights[:, :-1], weights[:, -1], features.names)
        if self.calibrate:
            model = calibrate(model, self.C_, self.cv_scores_, truth)
        self.best_estimator_: Pipeline = make_pipeline(data.scaler, model)
        self.classes_ = model.classes_
        self.classifier_ = Classifier(self.best_estimator_, features.recipe, features.names, self.clip)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the names of the predicted classes, of shape (n,), for an ndarray of shape (n, d)."""
        return self.best_estimator_.predict(features)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float64 of shape (n, classes), for an ndarray of shape (n, d).

        Raises:
            UserError: the classifier has no probabilities.
        """
        return self.classifier_.predict_proba(features)

    def report(self, evaluation: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings and results of the search, and those of `evaluate_predictions`, for a report in JSON."""
        figures = ("accuracy", "balanced_accuracy", "rarest", "log_loss", "images")
        return {
            "classifier": self.kind, "calibrated": self.calibrate, "clip": self.clip,
            "class_weight": self.class_weight, "classes": self.classes_.tolist(), "folds": self.cv,
            "search": [asdict(result) for result in self.cv_results_], "best_c": self.C_,
            "training_images": len(self.cv_scores_), "features": self.best_estimator_[0].n_features_in_,
            **{key: evaluation[key] for key in figures},
            "most_confused": most_confused(evaluation["classes"], evaluation["confusion"]),
        }  # fmt: skip

    def _validate(self, truth: np.ndarray, names: Sequence[str]) -> None:
        classes, counts = len(names), np.bincount(truth, minlength=len(names))
        if not 2 <= self.cv <= counts.min():
            enough = max(self.cv, 2)
            advice = "use 2 or more" if enough <= counts.min() else f"use fewer, or add images until it has {enough}"
            raise UserError(
                f"cv: must be from 2 to {counts.min()}, the training rows of the rarest class "
                f"({names[int(counts.argmin())]!r}); received {self.cv}; {advice}"
            )
        if self.class_weight not in (None, "balanced"):
            raise UserError(f'class_weight: must be "balanced" or None; received {self.class_weight!r}')
        if self.class_weight and self.calibrate:
            raise UserError(
                "class_weight: cannot be combined with calibrate=True; calibrated probabilities follow the true "
                "frequencies of the classes, which takes the weights back; choose one"
            )
        if self.clip and KINDS[self.kind].probabilities is None and not self.calibrate:
            raise UserError(
                f"clip: needs probabilities, which {self.kind} has only if calibrated; received {self.clip}; "
                "pass calibrate=True"
            )
        if not 0 <= self.clip < 1 / classes:
            raise UserError(
                f"clip: must be at least 0 and below 1/{classes}, the probability by chance of each of {classes} "
                f"classes; received {self.clip}"
            )

    def _cross_validate(self, features: FeatureFile, rows: np.ndarray) -> Iterator[tuple[float, list["FoldResult"]]]:
        """Yield each C with the results of its folds, in order."""
        cluster = self.cluster or ThisProcess(self.jobs)
        cluster.check(reads=[features.path])
        source = os.path.abspath(features.path) if cluster.elsewhere else features
        in_memory, balanced = None if features.in_memory else False, self.class_weight is not None
        search = _Search(source, in_memory, rows, self.cv, self.kind, self.seed, balanced)
        fits = cluster.run(
            partial(fit_fold, search), [_Fit(0, self.Cs[0], fold, None) for fold in range(self.cv)],
            label="Tuning C", total=self.cv * len(self.Cs), follow=partial(_next_fit, self.Cs),
        )  # fmt: skip
        results: dict[int, dict[int, FoldResult]] = {index: {} for index in range(len(self.Cs))}
        with contextlib.closing(fits):
            for fit, result in fits:
                results[fit.index][fit.fold] = result
                if len(results[fit.index]) == self.cv:
                    of_fold = results.pop(fit.index)
                    yield fit.c, [of_fold[fold] for fold in range(self.cv)]


FoldResult = tuple[np.ndarray, np.ndarray]
"""Weights, and the scores that they give the held-out rows of the fold."""


@dataclass(frozen=True)
class _Search:
    """The settings that all fits share.

    Attributes:
        features: the file of features; its path, where other processes run the fits.
        in_memory: as of `FeatureFile`, for those processes.
        rows, cv, kind, seed: as of `LinearClassifierCV`.
        balanced: as of `Standardized.fit`.
    """

    features: FeatureFile | str
    in_memory: bool | None
    rows: np.ndarray
    cv: int
    kind: str
    seed: int
    balanced: bool


@dataclass(frozen=True)
class _Fit:
    """A task: train with one C on one fold.

    Attributes:
        index: of the C, in the order given.
        c: its value.
        fold: index of the fold.
        start: the weights that the C before it found on this fold; None for the first.
    """

    index: int
    c: float
    fold: int
    start: np.ndarray | None


def fit_fold(search: _Search, fit: _Fit, work: Work) -> FoldResult:
    """Train on all rows but those of a fold, and score these."""
    features = search.features
    if not isinstance(features, FeatureFile):
        path, neighbours = features, max(1, cpu_count() // work.threads)
        features = work.keep("features", lambda: FeatureFile(path, search.in_memory, neighbours))
    watched, rows = features.watched(lambda: work.report(0)), search.rows
    train, test = work.keep("splits", lambda: _splits(watched.labels[rows], search.cv))[fit.fold]
    data = work.keep(f"fold {fit.fold}", lambda: Standardized.fit(watched, rows[train], search.balanced))
    data = replace(data, features=watched)
    with _computing(work.threads) as pool:
        weights = KINDS[search.kind].fit(data, fit.c, fit.start, search.seed, pool)
        return weights, data.scores(weights, rows[test])


def _next_fit(c_values: Sequence[float], fit: _Fit, result: FoldResult) -> _Fit | None:
    """Return the fit that starts from the weights of another one, if there is a next C."""
    index = fit.index + 1
    return _Fit(index, c_values[index], fit.fold, result[0]) if index < len(c_values) else None


@contextlib.contextmanager
def _computing(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Compute on the threads of a pool, and on none of BLAS's own."""
    with threadpool_limits(1), ThreadPoolExecutor(threads, thread_name_prefix="search") as pool:
        yield pool


def _splits(truth: np.ndarray, cv: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(StratifiedKFold(cv).split(truth, truth))


def _measure(c: float, folds: list[tuple[np.ndarray, np.ndarray]], kind: Kind, balanced: bool) -> CVResult:
    accuracy = [float((linear.decide(scores) == truth).mean()) for scores, truth in folds]
    recalls = [float(metrics.balanced_accuracy_score(truth, linear.decide(scores))) for scores, truth in folds]
    losses = []
    if kind.probabilities is not None:
        loss = partial(metrics.log_loss, labels=np.unique(folds[0][1]))
        losses = [float(loss(truth, kind.probabilities(scores))) for scores, truth in folds]
    return CVResult(c, accuracy, losses, recalls if balanced else [])
