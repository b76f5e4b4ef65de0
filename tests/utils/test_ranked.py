import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.utils import rank5_accuracy

SCORES = np.array(
    [
        [0.30, 0.25, 0.20, 0.12, 0.08, 0.05],
        [0.05, 0.08, 0.12, 0.20, 0.25, 0.30],
        [0.30, 0.25, 0.20, 0.12, 0.08, 0.05],
        [0.05, 0.30, 0.08, 0.25, 0.12, 0.20],
    ]
)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 5, 0, 1], (1.0, 1.0)),
        ([1, 4, 4, 4], (0.0, 1.0)),
        ([5, 0, 5, 0], (0.0, 0.0)),
        ([0, 0, 5, 2], (0.25, 0.5)),
    ],
)
@pytest.mark.parametrize("kind", ["arrays", "lists", "one-hot", "HDF5"])
def test_true_classes_are_looked_for_among_the_best(labels, expected, kind, tmp_path):
    if kind == "arrays":
        assert rank5_accuracy(SCORES, np.array(labels)) == expected
    elif kind == "lists":
        assert rank5_accuracy(SCORES.tolist(), labels) == expected
    elif kind == "one-hot":
        assert rank5_accuracy(SCORES, np.eye(6)[labels]) == expected
    else:
        with h5py.File(tmp_path / "a.hdf5", "w") as file:
            file["preds"], file["labels"] = SCORES, labels
            assert rank5_accuracy(file["preds"], file["labels"]) == expected


def test_random_scores_agree_with_counting(rng):
    scores, labels = rng.random((300, 12)), rng.integers(0, 12, 300)
    better = (scores > scores[np.arange(300), labels][:, None]).sum(axis=1)
    assert rank5_accuracy(scores, labels) == pytest.approx(((better == 0).mean(), (better < 5).mean()))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_with_few_classes_the_second_figure_is_1(classes, rng):
    scores, labels = rng.random((50, classes)), rng.integers(0, classes, 50)
    rank1, rank5 = rank5_accuracy(scores, labels)
    assert rank1 == pytest.approx((scores.argmax(axis=1) == labels).mean())
    assert rank5 == 1.0


def test_of_equal_scores_the_lower_class_comes_first():
    scores = np.full((4, 7), 1 / 7)
    assert rank5_accuracy(scores, [0, 0, 4, 6]) == pytest.approx((2 / 4, 3 / 4))


@pytest.mark.parametrize(
    ("preds", "labels", "message"),
    [
        (SCORES, [0, 1, 2], "labels: must be as many as the predictions, .*; received 3 labels for 4 predictions"),
        (np.empty((0, 3)), [], "received 0 labels for 0 predictions"),
        (SCORES, [0, 1, 2, 6], r"labels: must lie in 0\.\.5, since preds has 6 columns; received 0\.\.6; check"),
        (SCORES, [-1, 1, 2, 3], r"labels: must lie in 0\.\.5, .* received -1\.\.3"),
        (SCORES[0], [0], r"preds: must have shape \(n, classes\); received shape \(6,\)"),
        (SCORES[None], [0], r"preds: must have shape \(n, classes\); received shape \(1, 4, 6\)"),
        ([[0.5, np.nan]], [0], "preds: must be numbers; received NaN"),
        (SCORES, [[0], [5], [0], [1]], "labels: "),
        (SCORES, [0.5, 1, 2, 3], "labels: "),
    ],
    ids=["short", "empty", "high", "negative", "one row", "three axes", "NaN", "a column", "fractions"],
)
def test_a_mistake_is_named(preds, labels, message):
    with pytest.raises(UserError, match=message):
        rank5_accuracy(preds, labels)
