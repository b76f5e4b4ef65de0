import json

import numpy as np
import pytest
from sklearn import metrics

from pyimagesearch.errors import UserError
from pyimagesearch.ml.metrics import (
    confusion_in_words,
    difference_in_words,
    evaluate_predictions,
    imbalance_in_words,
    mcnemar,
)

NAMES = ["cat", "dog"]
TRUTH = np.array([0, 0, 0, 1, 1, 1, 1, 1])
OF_DOG = np.array([0.125, 0.25, 0.875, 0.75, 0.75, 1.0, 0.375, 0.5625])
TWO = np.stack([1 - OF_DOG, OF_DOG], axis=1)


def of_chance(rng, n, classes):
    """Return labels and probabilities that know something of them."""
    truth = rng.integers(0, classes, n)
    scores = np.exp(rng.normal(size=(n, classes)) + 2 * np.eye(classes)[truth])
    return truth, (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


class TestByHand:
    result = evaluate_predictions(TRUTH, TWO, NAMES, paths=[f"{i}.jpg" for i in range(8)], rows=np.arange(10, 18))

    def test_accuracy_with_its_interval(self):
        assert (self.result["images"], self.result["accuracy"], self.result["classes"]) == (8, 6 / 8, NAMES)
        # Wilson's formula, with p = 0.75, n = 8 and z = 1.959964
        centre, half = (0.75 + 3.841459 / 16) / (1 + 3.841459 / 8), 1.959964 * np.sqrt(0.1875 / 8 + 3.841459 / 256)
        half /= 1 + 3.841459 / 8
        np.testing.assert_allclose(self.result["interval"], [centre - half, centre + half], rtol=1e-6)

    def test_confusion_and_classes(self):
        assert self.result["confusion"] == [[2, 1], [1, 4]]
        cat, dog = self.result["per_class"]
        assert cat == {"name": "cat", "precision": 2 / 3, "recall": 2 / 3, "f1": pytest.approx(2 / 3), "images": 3}
        assert dog == {"name": "dog", "precision": 0.8, "recall": 0.8, "f1": pytest.approx(0.8), "images": 5}

    def test_log_loss(self):
        of_truth = np.where(TRUTH == 1, OF_DOG, 1 - OF_DOG)
        assert self.result["log_loss"] == pytest.approx(-np.log(of_truth).mean())

    def test_calibration(self):
        """The top probabilities are 0.875, 0.75, 0.875 (wrong), 0.75, 0.75, 1, 0.625 (wrong) and 0.5625."""
        assert self.result["calibration"]["bins"] == [
            {"low": 0.5, "high": 0.6, "images": 1, "confidence": 0.5625, "accuracy": 1.0},
            {"low": 0.6, "high": 0.7, "images": 1, "confidence": 0.625, "accuracy": 0.0},
            {"low": 0.7, "high": 0.8, "images": 3, "confidence": 0.75, "accuracy": 1.0},
            {"low": 0.8, "high": 0.9, "images": 2, "confidence": 0.875, "accuracy": 0.5},
            {"low": 0.9, "high": 1.0, "images": 1, "confidence": 1.0, "accuracy": 1.0},
        ]
        error = (1 * 0.4375 + 1 * 0.625 + 3 * 0.25 + 2 * 0.375 + 0) / 8
        assert self.result["calibration"]["error"] == pytest.approx(error)

    def test_roc(self):
        """Of the 15 pairs of a cat and a dog, 11 are in the right order."""
        assert self.result["roc"]["auc"] == pytest.approx(11 / 15)
        assert self.result["roc"]["false_positive_rate"][-1] == self.result["roc"]["true_positive_rate"][-1] == 1

    def test_pictures(self):
        pictures = self.result["pictures"]
        assert [p["row"] for p in pictures["mistakes"]] == [12, 16]
        assert pictures["mistakes"][0] == {
            "row": 12, "path": "2.jpg", "label": "cat", "predicted": "dog",
            "probabilities": {"dog": 0.875, "cat": 0.125},
        }  # fmt: skip
        assert [p["row"] for p in pictures["uncertain"]] == [17, 16, 11, 13, 14, 10, 12, 15]
        assert [p["row"] for p in pictures["typical"]["cat"]] == [10, 11]
        assert [p["row"] for p in pictures["typical"]["dog"]] == [15, 13, 14, 17]

    def test_json_holds_it(self):
        assert json.loads(json.dumps(self.result, allow_nan=False)) == self.result


@pytest.mark.parametrize("classes", [2, 7])
def test_figures_are_those_of_scikit_learn(rng, classes):
    truth, probabilities = of_chance(rng, 500, classes)
    names = [f"class {i}" for i in range(classes)]
    result = evaluate_predictions(truth, probabilities, names)
    predicted = probabilities.argmax(axis=1)
    assert result["accuracy"] == metrics.accuracy_score(truth, predicted)
    assert result["confusion"] == metrics.confusion_matrix(truth, predicted).tolist()
    assert result["log_loss"] == pytest.approx(metrics.log_loss(truth, probabilities), rel=1e-5)
    report = metrics.classification_report(truth, predicted, target_names=names, output_dict=True)
    for figures in result["per_class"]:
        expected = report[figures.pop("name")]
        assert list(figures.values()) == pytest.approx(list(expected.values()))
    bins = result["calibration"]["bins"]
    assert sum(b["images"] for b in bins) == 500
    assert all(b["low"] < b["confidence"] <= b["high"] for b in bins)
    assert len(result["pictures"]["mistakes"]) == len(result["pictures"]["uncertain"]) == 12
    assert [len(p) for p in result["pictures"]["typical"].values()] == [6] * classes
    assert {len(p["probabilities"]) for p in result["pictures"]["mistakes"]} == {min(classes, 5)}
    assert result["pictures"]["mistakes"][0]["path"] is None
    assert (result["roc"] is None) == (classes > 2)


@pytest.mark.parametrize("n", [30, 3000, 100_000])
def test_a_long_roc_curve_keeps_its_shape(rng, n):
    truth, probabilities = of_chance(rng, n, 2)
    roc = evaluate_predictions(truth, probabilities, NAMES)["roc"]
    false, true = roc["false_positive_rate"], roc["true_positive_rate"]
    assert roc["auc"] == pytest.approx(metrics.roc_auc_score(truth, probabilities[:, 1]))
    assert len(false) == len(true) <= 200
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert metrics.auc(false, true) == pytest.approx(roc["auc"], abs=2e-3)
    whole = metrics.roc_curve(truth, probabilities[:, 1])
    assert np.abs(np.interp(whole[0] + whole[1], np.add(false, true), true) - whole[1]).max() < 0.01


def test_without_probabilities_the_classes_alone_are_compared():
    result = evaluate_predictions(TRUTH, None, NAMES, predictions=TWO.argmax(axis=1))
    whole = evaluate_predictions(TRUTH, TWO, NAMES)
    for name in ("log_loss", "calibration", "roc", "pictures"):
        assert result.pop(name) is None
    assert result == {name: whole[name] for name in result}


def test_what_was_predicted_may_be_another_class_than_the_most_probable():
    result = evaluate_predictions(TRUTH, TWO, NAMES, predictions=np.zeros(8, np.int64))
    assert result["accuracy"] == 3 / 8
    mistake = result["pictures"]["mistakes"][0]
    assert (mistake["row"], mistake["predicted"], mistake["probabilities"]["cat"]) == (6, "cat", 0.625)


def test_one_row_and_one_class_that_never_occurs():
    result = evaluate_predictions([2], [[0.1, 0.2, 0.7]], ["a", "b", "c"])
    assert (result["accuracy"], result["roc"]) == (1, None)
    assert result["interval"] == [pytest.approx(0.2065, abs=1e-4), 1]
    assert result["per_class"][0] == {"name": "a", "precision": 0, "recall": 0, "f1": 0, "images": 0}
    assert {name: len(of) for name, of in result["pictures"]["typical"].items()} == {"a": 0, "b": 0, "c": 1}


def test_one_class_alone():
    result = evaluate_predictions([0, 0], [[1.0], [1.0]], ["all"])
    assert (result["accuracy"], result["log_loss"], result["roc"]) == (1, 0, None)


def test_two_classes_of_which_one_occurs_have_no_roc():
    assert evaluate_predictions([1, 1], TWO[:2], NAMES)["roc"] is None


def test_a_certain_mistake_has_a_finite_loss():
    assert 10 < evaluate_predictions([0], [[0.0, 1.0]], NAMES)["log_loss"] < 100


def test_probabilities_of_low_precision_are_welcome():
    coarse = TWO.astype(np.float16) * np.float16(1.005)
    assert evaluate_predictions(TRUTH, coarse, NAMES)["log_loss"] == pytest.approx(
        evaluate_predictions(TRUTH, TWO, NAMES)["log_loss"], rel=1e-2
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], np.empty((0, 2)), NAMES), r"truth: must be whole numbers of shape \(n,\), at least one"),
        (([0.0], [[0.5, 0.5]], NAMES), r"truth: must be whole numbers .*float64"),
        (([2], [[0.5, 0.5]], NAMES), r"truth: must be from 0 to 1, .*received 2\.\.2"),
        (([0, 1], [[0.5, 0.5]], NAMES), r"must be one for each image; received 2, 1, 1, 2"),
        (([0], [[0.5, 0.5]], NAMES, ["a", "b"]), r"paths, rows: must be one for each image; received 1, 1, 1, 2, 1"),
        (([0], [[0.2, 0.3, 0.5]], NAMES), r"probabilities: must have shape \(n, 2\), .*received \(1, 3\)"),
        (([0], [[2.0, -1.0]], NAMES), r"probabilities: must be at least 0 and sum to 1"),
        (([0], [[0.9, 0.9]], NAMES), r"probabilities: must be .*ends in a softmax"),
        (([0], [[np.nan, 1]], NAMES), r"probabilities: must be at least 0"),
        (([0], None, NAMES), r"predictions: must be given where there are no probabilities"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(UserError, match=message):
        evaluate_predictions(*arguments)


def test_a_confusion_matrix_in_words():
    words = confusion_in_words({"classes": ["cat", "dog", "fox"], "confusion": [[3, 1, 0], [0, 2, 0], [0, 0, 0]]})
    raw, shares = "[[3 1 0]\n [0 2 0]\n [0 0 0]]", "[[0.75 0.25 0.  ]\n [0.   1.   0.  ]\n [0.   0.   0.  ]]"
    assert words == f"confusion matrix (rows: cat, dog, fox)\n{raw}\nas shares of each row\n{shares}\n"


def test_the_most_confused_pairs_of_many_classes_in_words():
    words = confusion_in_words({"classes": ["cat", "dog\n", "fox"], "confusion": [[1, 3, 0], [0, 2, 5], [1, 0, 0]]}, 2)
    assert words == (
        "most confused        images  share of the class\n"
        "dog\\n taken for fox       5               71.4%\n"
        "cat taken for dog\\n       3               75.0%\n"
        "fox taken for cat         1              100.0%\n"
    )


@pytest.mark.parametrize(("of_dogs", "is_rare"), [(4, False), (2, False), (1, True)])
def test_the_rarest_class_is_named_if_classes_differ_much(of_dogs, is_rare):
    truth = np.array([0] * 4 + [1] * of_dogs + [2] * 3)
    predicted = np.where(truth == 1, 0, truth)
    result = evaluate_predictions(truth, None, ["cat", "dog", "fox", "owl"], predictions=predicted)
    assert result["balanced_accuracy"] == metrics.balanced_accuracy_score(truth, predicted) == pytest.approx(2 / 3)
    assert result["rarest"] == ({"name": "dog", "images": 1, "recall": 0.0} if is_rare else None)
    words = "balanced accuracy: 66.67%; recall of the rarest class, dog: 0.00% of 1 images"
    assert imbalance_in_words(result) == (words if is_rare else "")


class TestMcNemar:
    truth = np.zeros(100, int)

    def predictions(self, *wrong):
        """Return predictions of which these slices are wrong."""
        found = self.truth.copy()
        for places in wrong:
            found[places] = 1
        return found

    def test_by_hand(self):
        """Of 6 images that one way alone gets right, it is at most one for either with probability 2 * (1 + 6) / 64."""
        test = mcnemar(self.truth, self.predictions(slice(0, 25)), self.predictions(slice(5, 25), slice(99, None)))
        assert test == {"images": 100, "gained": 5, "lost": 1, "p": pytest.approx(2 * 7 / 64)}
        assert difference_in_words("ten crops", test) == (
            "ten crops make no clear difference: 5 images gained, 1 lost, p = 0.22"
        )

    def test_both_ways_alike(self):
        names = np.array(["cat"] * 50 + ["dog"] * 50)
        assert mcnemar(names, names[::-1], names[::-1]) == {"images": 100, "gained": 0, "lost": 0, "p": 1.0}

    def test_it_is_symmetric_and_says_who_is_better(self):
        first, second = self.predictions(slice(0, 30)), self.predictions(slice(25, 35))
        better, worse = mcnemar(self.truth, first, second), mcnemar(self.truth, second, first)
        assert (better["gained"], better["lost"], better["p"]) == (25, 5, worse["p"])
        assert difference_in_words("flips", better) == "flips help: 25 images gained, 5 lost, p = 0.00032"
        assert difference_in_words("flips", worse) == "flips hurt: 5 images gained, 25 lost, p = 0.00032"
        assert difference_in_words("flips", {"gained": 1000, "lost": 0, "p": 1e-300}) == (
            "flips help: 1,000 images gained, 0 lost, p < 0.0001"
        )

    @pytest.mark.parametrize("shapes", [(0, 0, 0), (3, 3, 2), ((2, 1), (2, 1), (2, 1))])
    def test_other_shapes_are_refused(self, shapes):
        with pytest.raises(UserError, match=r"truth: must have shape \(n,\), n at least 1"):
            mcnemar(*map(np.zeros, shapes))
