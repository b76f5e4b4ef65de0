"""Metrics of the predictions of any classifier, ready for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics

from pyimagesearch.errors import UserError
from pyimagesearch.ml.confusion import MOST_IN_WORDS, most_confused
from pyimagesearch.utils.text import aligned, printable

SIGNIFICANT = 0.05
"""The p-value below which a difference counts as more than chance."""

_BINS, _ROC_POINTS = 10, 200
_UNBALANCED = 2  # images of the most common class for each of the rarest, above which accuracy misleads
_WORST, _TYPICAL, _TOP = 12, 6, 5
_ROUNDING_OF_SUMS = 0.02  # distance from 1 of the sum of a row's probabilities; bfloat16 is off by a percent


def evaluate_predictions(
    truth: Any,
    probabilities: Any,
    names: Sequence[str],
    paths: Sequence[str] | None = None,
    rows: Any = None,
    predictions: Any = None,
) -> dict[str, Any]:
    """Compare predictions with the truth.

    Args:
        truth: whole numbers of shape (n,): the true classes.
        probabilities: numbers of shape (n, k), each row of which sums to 1; None if the classifier has none.
        names: the k different classes.
        paths: the origin of each image, if known.
        rows: whole numbers of shape (n,): the indices of the images in their file; 0 to n - 1 if None.
        predictions: whole numbers of shape (n,): the predicted classes; the most probable ones if None.

    Returns:
        A dictionary; its last four values are None without probabilities:

        - ``images``: n; ``classes``: the names.
        - ``accuracy`` in [0, 1], and ``interval``: its 95% confidence interval (Wilson, 1927).
        - ``balanced_accuracy``: the mean recall of the classes that occur; ``rarest``: ``name``, ``images`` and
          ``recall`` of the rarest one if the most common has more than twice its images, else None.
        - ``confusion``: counts, [true class][predicted class].
        - ``per_class``: ``name``, ``precision``, ``recall``, ``f1`` and ``images`` of each class; 0 where the divisor
          is 0.
        - ``log_loss``: mean of -log(probability of the true class), in nats.
        - ``calibration``: the probability of the predicted class against its accuracy (Guo et al., "On Calibration of
          Modern Neural Networks", 2017): non-empty ``bins`` of width 0.1, each with its ``low`` (exclusive) and
          ``high`` end, ``images``, mean ``confidence`` and ``accuracy``; ``error``: the mean distance of the last two
          over all images (expected calibration error).
        - ``roc``: ``auc``, and at most 200 points (``false_positive_rate``, ``true_positive_rate``) of the curve, class
          1 being positive; None unless there are two classes and both occur.
        - ``pictures``: ``mistakes``, the most confident first; ``uncertain``, those with the smallest margin between
          the two most probable classes; ``typical``: for each class its correctly predicted images of the highest
          probability. Each has ``row``, ``path``, ``label``, ``predicted`` and the ``probabilities`` of the five most
          probable classes, rounded to 6 digits.

    Raises:
        UserError: there are no rows, lengths differ, a class has no name, or numbers are not probabilities.
    """
    k = len(names)
    scores = None if probabilities is None else _probabilities(probabilities, k)
    if predictions is None:
        if scores is None:
            raise UserError("predictions: must be given where there are no probabilities; received None for both")
        predictions = scores.argmax(axis=1)
    truth = _numbers(truth, "truth", k)
    predicted = _numbers(predictions, "predictions", k)
    rows = np.arange(len(truth)) if rows is None else np.asarray(rows)
    lengths = {"truth": truth, "predictions": predicted, "probabilities": scores, "paths": paths, "rows": rows}
    counts = {name: len(values) for name, values in lengths.items() if values is not None}
    if len(set(counts.values())) > 1:
        raise UserError(
            f"{', '.join(counts)}: must be one for each image; received {', '.join(map(str, counts.values()))}"
        )

    right = int((predicted == truth).sum())
    interval = binomtest(right, len(truth)).proportion_ci(method="wilson")
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=range(k), zero_division=0
    )
    rarest = int(np.where(support, support, len(truth) + 1).argmin())
    is_rare = support.max() > _UNBALANCED * support[rarest]
    result = {
        "images": len(truth),
        "accuracy": right / len(truth),
        "interval": [float(interval.low), float(interval.high)],
        "balanced_accuracy": float(recall[support > 0].mean()),
        "rarest": {"name": names[rarest], "images": int(support[rarest]), "recall": float(recall[rarest])}
        if is_rare
        else None,
        "log_loss": None,
        "classes": list(names),
        "confusion": np.bincount(k * truth + predicted, minlength=k * k).reshape(k, k).tolist(),
        "per_class": [
            {"name": name, "precision": float(p), "recall": float(r), "f1": float(f), "images": int(n)}
            for name, p, r, f, n in zip(names, precision, recall, f1, support, strict=True)
        ],
        "calibration": None,
        "roc": None,
        "pictures": None,
    }
    if scores is not None:
        result["log_loss"] = float(metrics.log_loss(truth, scores, labels=range(k))) if k > 1 else 0.0
        result["calibration"] = _calibration(scores[np.arange(len(truth)), predicted], predicted == truth)
        result["roc"] = _roc(truth, scores)
        result["pictures"] = _pictures(truth, predicted, scores, names, paths, rows)
    return result


def _probabilities(values: Any, classes: int) -> np.ndarray:
    """Return probabilities as float64, each row divided by its sum."""
    scores = np.asarray(values).astype(np.float64)
    if scores.ndim != 2 or scores.shape[1] != classes:
        raise UserError(
            f"probabilities: must have shape (n, {classes}), a column for each class; received {scores.shape}"
        )
    sums = scores.sum(axis=1, keepdims=True)
    if not ((scores >= 0) & (np.abs(sums - 1) <= _ROUNDING_OF_SUMS)).all():
        raise UserError(
            "probabilities: must be at least 0 and sum to 1 in each row; received others; "
            "a network gives such numbers if it ends in a softmax"
        )
    return scores / sums


def confusion_in_words(evaluation: Mapping[str, Any], most: int = MOST_IN_WORDS) -> str:
    """Return the confusion matrix of `evaluate_predictions`, raw and as shares.

    For over ``most`` classes, return the pairs of classes that are confused most instead.
    """
    names, counts = evaluation["classes"], np.array(evaluation["confusion"])
    if len(names) > most:
        pairs = [
            (f"{printable(pair['label'], 32)} taken for {printable(pair['predicted'], 32)}", f"{pair['images']:,}",
             f"{pair['share']:.1%}")
            for pair in most_confused(names, counts)
        ]  # fmt: skip
        return "\n".join(aligned([("most confused", "images", "share of the class"), *pairs])) + "\n"
    shares = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).round(4)
    return f"confusion matrix (rows: {', '.join(names)})\n{counts}\nas shares of each row\n{shares}\n"


def mcnemar(truth: Any, first: Any, second: Any) -> dict[str, Any]:
    """Test whether two ways to classify the same images differ by more than chance (McNemar's exact test).

    Only images that one way alone gets right tell the two apart. Of these, each would get half if both were equally
    good, which a two-sided binomial test rejects or not (McNemar, "Note on the Sampling Error of the Difference
    Between Correlated Proportions or Percentages", 1947; for classifiers: Dietterich, "Approximate Statistical Tests
    for Comparing Supervised Classification Learning Algorithms", 1998).

    Args:
        truth: array of shape (n,): the true classes.
        first, second: arrays of shape (n,): what each way predicts.

    Returns:
        ``images``: n; ``gained``: images that only the second way gets right; ``lost``: those that only the first one
        does; ``p``: how probable a difference at least this large is by chance alone, in [0, 1].

    Raises:
        UserError: shapes differ, or there are no images.
    """
    truth, first, second = map(np.asarray, (truth, first, second))
    if truth.ndim != 1 or not len(truth) or not truth.shape == first.shape == second.shape:
        raise UserError(
            "truth: must have shape (n,), n at least 1, and so must first and second; "
            f"received {truth.shape}, {first.shape} and {second.shape}"
        )
    gained = int(((second == truth) & (first != truth)).sum())
    lost = int(((first == truth) & (second != truth)).sum())
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return {"images": len(truth), "gained": gained, "lost": lost, "p": p}


def difference_in_words(name: str, test: Mapping[str, Any]) -> str:
    """Return what the second way of `mcnemar`, ``name`` in the plural, is good for: it helps if p is below 5%."""
    verdict = "help" if test["gained"] > test["lost"] else "hurt"
    verdict = verdict if test["p"] < SIGNIFICANT else "make no clear difference"
    chance = probability_in_words(test["p"])
    return f"{name} {verdict}: {test['gained']:,} images gained, {test['lost']:,} lost, {chance}"


def probability_in_words(p: float) -> str:
    """Return a p-value to two digits."""
    return f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"


def imbalance_in_words(evaluation: Mapping[str, Any]) -> str:
    """Return what the accuracy of `evaluate_predictions` hides if one class is rare, else ""."""
    rarest = evaluation["rarest"]
    if rarest is None:
        return ""
    return (
        f"balanced accuracy: {evaluation['balanced_accuracy']:.2%}; recall of the rarest class, "
        f"{printable(rarest['name'], 32)}: {rarest['recall']:.2%} of {rarest['images']:,} images"
    )


def _numbers(values: Any, argument: str, classes: int) -> np.ndarray:
    """Return classes as int64 ndarray of shape (n,)."""
    numbers = np.asarray(values)
    if numbers.ndim != 1 or not len(numbers) or numbers.dtype.kind not in "iu":
        raise UserError(
            f"{argument}: must be whole numbers of shape (n,), at least one; received shape {numbers.shape}, "
            f"dtype {numbers.dtype}"
        )
    if numbers.min() < 0 or numbers.max() >= classes:
        raise UserError(
            f"{argument}: must be from 0 to {classes - 1}, for {classes} names; received "
            f"{numbers.min()}..{numbers.max()}"
        )
    return numbers.astype(np.int64)


def _calibration(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    places = np.digitize(confidence, np.arange(1, _BINS) / _BINS, right=True)
    counts = np.bincount(places, minlength=_BINS)
    divisors = np.maximum(counts, 1)
    means = np.bincount(places, confidence, _BINS) / divisors
    shares = np.bincount(places, right, _BINS) / divisors
    bins = [
        {"low": i / _BINS, "high": (i + 1) / _BINS, "images": int(counts[i]),
         "confidence": float(means[i]), "accuracy": float(shares[i])}
        for i in np.flatnonzero(counts).tolist()
    ]  # fmt: skip
    return {"error": float((counts * np.abs(shares - means)).sum() / counts.sum()), "bins": bins}


def _roc(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any] | None:
    if scores.shape[1] != 2 or len(np.unique(truth)) < 2:
        return None
    false, true, _ = metrics.roc_curve(truth, scores[:, 1])
    # Both rates never decrease, so their sum measures how far along the curve a point lies: points at equal distances
    # keep the curve to within a hundredth.
    kept = np.unique(np.searchsorted(false + true, np.linspace(0, 2, _ROC_POINTS - 1)))
    kept = np.arange(len(false)) if len(false) <= _ROC_POINTS else kept.clip(max=len(false) - 1)
    return {
        "auc": float(metrics.auc(false, true)),
        "false_positive_rate": false[kept].round(6).tolist(),
        "true_positive_rate": true[kept].round(6).tolist(),
    }


def _pictures(
    truth: np.ndarray, predicted: np.ndarray, scores: np.ndarray, names: Sequence[str], paths: Sequence[str] | None,
    rows: np.ndarray,
) -> dict[str, Any]:  # fmt: skip
    images, wrong = np.arange(len(truth)), predicted != truth
    confidence = scores[images, predicted]

    def first(among: np.ndarray, keys: np.ndarray, most: int) -> list[dict[str, Any]]:
        chosen = np.flatnonzero(among)
        return [picture(i) for i in chosen[np.argsort(keys[chosen], kind="stable")][:most].tolist()]

    def picture(i: int) -> dict[str, Any]:
        best = np.argsort(-scores[i], kind="stable")[:_TOP].tolist()
        return {
            "row": int(rows[i]),
            "path": None if paths is None else paths[i],
            "label": names[truth[i]],
            "predicted": names[predicted[i]],
            "probabilities": {names[c]: round(float(scores[i, c]), 6) for c in best},
        }

    two = np.partition(scores, -2, axis=1)[:, -2:] if scores.shape[1] > 1 else scores
    return {
        "mistakes": first(wrong, -confidence, _WORST),
        "uncertain": first(images >= 0, two[:, -1] - two[:, 0], _WORST) if scores.shape[1] > 1 else [],
        "typical": {name: first(~wrong & (truth == label), -confidence, _TYPICAL) for label, name in enumerate(names)},
    }
