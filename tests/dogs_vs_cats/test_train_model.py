"""Step 5 on features of its own: options, figures, files."""

import json
import os
import pickle
import re
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from pyimagesearch.features import featurefile as features_module
from pyimagesearch.ml.classifier import Classifier

N, CLASSES = 240, ["ant", "bee", "c$_{é}\n%s"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a working folder with features of three classes that overlap, and the recipe of them."""
    rng = np.random.default_rng(5)
    labels = np.arange(N) % 3
    with h5py.File(tmp_path / "features.hdf5", "w") as file:
        file["features"] = (rng.normal(size=(N, 16)) + 1.3 * np.eye(16)[labels]).astype(np.float16)
        file["labels"], file["label_names"] = labels, CLASSES
        file.attrs["recipe"] = '{"network": "tiny"}'
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def train(place, call):
    def run(*options, model="model/classifier.skops"):
        return call("train_model", "-d", "features.hdf5", "-m", model, "-j", "1", *options)

    return run


def held_out(seed=42):
    """Return the held-out rows and their classes by scikit-learn alone."""
    with h5py.File("features.hdf5") as file:
        rows, names = file["features"][:].astype(np.float32), np.array(CLASSES)[file["labels"][:]]
    return train_test_split(rows, names, test_size=0.25, stratify=np.arange(N) % 3, random_state=seed)[1::2]


def without_files(result):
    return {**result, "files": 0, "predictions": 0}


def figures(path="model/classifier.json"):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize("options", [[], ["--clip", "0.05"], ["--calibrate"], ["-c", "sgd"]])
def test_accuracy_and_log_loss_are_scikit_learn_s_on_the_same_rows(train, options):
    outcome = train(*options)
    assert outcome.code == 0, outcome.err
    classifier, (rows, truth) = Classifier.load("model/classifier.skops"), held_out()
    assert (classifier.recipe, classifier.label_names) == ('{"network": "tiny"}', CLASSES)
    result = outcome.result
    assert result["images"] == 60
    assert result["accuracy"] == accuracy_score(truth, classifier.estimator.predict(rows))
    assert result["log_loss"] == pytest.approx(log_loss(truth, classifier.predict_proba(rows)), rel=1e-6)
    assert 1 / 3 < result["accuracy"] < 1
    assert f"[INFO] accuracy: {result['accuracy']:.2%} of 60 images" in outcome.out
    assert f"[INFO] log loss: {result['log_loss']:.4f} on 60 images" in outcome.out


def test_the_report_holds_every_figure(train):
    outcome = train("--folds", "4", "--clip", "0.01")
    assert outcome.code == 0, outcome.err
    report = figures()
    assert [str(path) for path in outcome.result["files"]] == [
        "model/classifier.skops", "model/classifier_confusion_matrix.png", "model/classifier.json",
        "model/classifier_predictions.hdf5",
    ]  # fmt: skip
    assert {key: report[key] for key in ("accuracy", "log_loss", "images", "best_c")} == {
        key: outcome.result[key] for key in ("accuracy", "log_loss", "images", "best_c")
    }
    expected = {"classifier": "logistic", "calibrated": False, "clip": 0.01, "training_images": 180, "features": 16,
                "classes": CLASSES, "folds": 4, "out_of_core": False}  # fmt: skip
    assert {key: report[key] for key in expected} == expected
    assert report["seconds"] > 0
    means = {}
    for candidate in report["search"]:
        assert len(candidate["accuracy"]) == len(candidate["log_loss"]) == 4
        means[candidate["c"]] = np.mean(candidate["accuracy"])
        accuracy, loss = candidate["accuracy"], candidate["log_loss"]
        line = (
            f"C = {candidate['c']:g}: accuracy {np.mean(accuracy):.2%} ± {np.std(accuracy):.2%}, "
            f"log loss {np.mean(loss):.4f} ± {np.std(loss):.4f}"
        )
        assert line in outcome.out
    assert list(means) == [0.0001, 0.001, 0.01, 0.1, 1.0]
    assert max(means, key=means.get) == outcome.result["best_c"]


@pytest.mark.parametrize("classifier", ["logistic", "linear-svm"])
def test_predictions_of_the_held_out_rows_are_written(train, classifier):
    with h5py.File("features.hdf5", "r+") as file:
        file["paths"] = [f"{row}.jpg" for row in range(N)]
    outcome = train("-c", classifier)
    assert outcome.code == 0, outcome.err
    evaluation, truth = outcome.result["evaluation"], held_out()[1]
    with h5py.File(outcome.result["predictions"]) as file:
        found = {name: file[name][:] for name in file}
    assert [path.decode() for path in found["paths"]] == [f"{row}.jpg" for row in found["rows"]]
    assert found["rows"].tolist() == sorted(found["rows"].tolist())
    with h5py.File("features.hdf5") as file:
        np.testing.assert_array_equal(file["labels"][:][found["rows"]], found["labels"])
        features = file["features"][:][found["rows"]].astype(np.float32)
    estimator = Classifier.load("model/classifier.skops").estimator
    names = np.array(CLASSES)
    assert names[found["predictions"]].tolist() == estimator.predict(features).tolist()
    assert evaluation["accuracy"] == (found["predictions"] == found["labels"]).mean() == outcome.result["accuracy"]
    assert sorted(names[found["labels"]]) == sorted(truth)
    assert ("probabilities" in found) == (classifier == "logistic")
    if classifier == "logistic":
        np.testing.assert_allclose(found["probabilities"], estimator.predict_proba(features), atol=1e-6)
        mistake = evaluation["pictures"]["mistakes"][0]
        assert mistake["path"] == f"{mistake['row']}.jpg"
        assert mistake["label"] == CLASSES[mistake["row"] % 3] != mistake["predicted"]
    assert [str(path) for path in outcome.result["inputs"]] == ["features.hdf5"]


def unbalance():
    """Leave 8 bees."""
    with h5py.File("features.hdf5", "r+") as file:
        labels = file["labels"][:]
        labels[np.flatnonzero(labels == 1)[8:]] = 0
        file["labels"][:] = labels


def test_what_the_accuracy_hides_is_said_of_a_rare_class(train):
    assert "rarest" not in train(model="even/c.skops").out
    assert figures("even/c.json")["rarest"] is None
    unbalance()
    plain, balanced = train(model="plain/c.skops"), train("--class-weight", "balanced", model="balanced/c.skops")
    assert (plain.code, balanced.code) == (0, 0), balanced.err
    found = [figures(f"{folder}/c.json") for folder in ("plain", "balanced")]
    for outcome, report in zip((plain, balanced), found, strict=True):
        words = f"balanced accuracy: {report['balanced_accuracy']:.2%}; recall of the rarest class, bee: "
        assert f"[INFO] {words}{report['rarest']['recall']:.2%} of 2 images" in outcome.out
        assert report["rarest"] == outcome.result["rarest"] == outcome.result["evaluation"]["rarest"]
    assert [report["class_weight"] for report in found] == [None, "balanced"]
    assert found[1]["balanced_accuracy"] > found[0]["balanced_accuracy"]
    assert found[1]["search"][0]["balanced_accuracy"]
    assert "%, balanced " in balanced.out


def test_the_config_weights_the_classes(train, place):
    (place / "own.py").write_text('from config.dogs_vs_cats_config import *\nCLASS_WEIGHT = "balanced"\n')
    results = [train("--config", "own", *options, model=f"{len(options)}/c.skops").result
               for options in ((), ("--class-weight", "none"))]  # fmt: skip
    assert [result["class_weight"] for result in results] == ["balanced", None]


def test_results_outlive_a_picture_that_cannot_be_drawn(train, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("pyimagesearch.ml.draw_confusion_matrix", fail)
    assert train().code != 0
    assert sorted(os.listdir("model")) == ["classifier.json", "classifier.skops", "classifier_predictions.hdf5"]


def test_many_classes(place, train):
    """The pairs that are confused most are listed; the picture stays small."""
    labels = np.arange(600) % 120
    with h5py.File("features.hdf5", "w") as file:
        file["features"] = np.random.default_rng(0).normal(size=(600, 4)) + 9 * np.eye(4)[labels % 4]
        file["labels"], file["label_names"] = labels, [f"breed {index}" for index in range(120)]
    outcome = train("-c", "sgd", "--folds", "2")
    assert outcome.code == 0, outcome.err
    pairs = figures()["most_confused"]
    assert len(pairs) == 20
    assert f"{pairs[0]['label']} taken for {pairs[0]['predicted']}  " in outcome.out
    assert max(cv2.imread("model/classifier_confusion_matrix.png").shape) < 2000


def test_two_runs_differ_in_their_seconds_alone(train):
    first, second = train(model="a/classifier.skops"), train(model="b/classifier.skops")
    assert without_files(first.result) == without_files(second.result)
    predictions = [result.result["predictions"].read_bytes() for result in (first, second)]
    assert predictions[0] == predictions[1]
    reports = [{**figures(f"{folder}/classifier.json"), "seconds": 0} for folder in "ab"]
    assert reports[0] == reports[1]
    models = [Classifier.load(f"{folder}/classifier.skops").estimator[-1] for folder in "ab"]
    np.testing.assert_array_equal(models[0].coef_, models[1].coef_)


@pytest.mark.parametrize("classifier", ["logistic", "linear-svm", "sgd"])
def test_out_of_core_is_the_same(train, classifier):
    inside = train("-c", classifier, "--out-of-core", "no", model="a/classifier.skops")
    outside = train("-c", classifier, "--out-of-core", "yes", model="b/classifier.skops")
    assert "feature vectors, in memory..." in inside.out
    assert "feature vectors, out of core..." in outside.out
    assert without_files(inside.result) == without_files(outside.result)


def test_features_larger_than_memory_are_trained_out_of_core(train, monkeypatch):
    monkeypatch.setattr(features_module, "available_memory", lambda: 1000)
    assert "feature vectors, out of core..." in train().out


def test_a_support_vector_machine_has_probabilities_when_calibrated(train):
    plain = train("-c", "linear-svm", model="a/classifier.skops")
    assert plain.code == 0, plain.err
    assert plain.result["log_loss"] is None
    assert "log loss" not in plain.out
    calibrated = train("-c", "linear-svm", "--calibrate", "--clip", "0.01", model="b/classifier.skops")
    assert calibrated.code == 0, calibrated.err
    assert calibrated.result["log_loss"] < np.log(3)


def test_a_pickle_and_its_description(train):
    outcome = train("--clip", "0.01", model="model/classifier.pickle")
    assert outcome.code == 0, outcome.err
    assert sorted(os.listdir("model")) == [
        "MODEL_CARD.md", "classifier.json", "classifier.pickle", "classifier.pickle.json",
        "classifier_confusion_matrix.png", "classifier_predictions.hdf5",
    ]  # fmt: skip
    classifier = Classifier.load("model/classifier.pickle", trust_pickle=True)
    assert (classifier.recipe, classifier.label_names, classifier.clip) == ('{"network": "tiny"}', CLASSES, 0.01)
    with open("model/classifier.pickle", "rb") as file:
        np.testing.assert_array_equal(pickle.load(file)[-1].coef_, classifier.estimator[-1].coef_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--folds", "1"], r"--folds: must be from 2 to 60, .*; received 1; use 2 or more"),
        (["--folds", "61"], r"--folds: must .* class \('ant'\); received 61; use fewer, or add images until it has 61"),
        (["--class-weight", "balanced", "--calibrate"], r"--class-weight: cannot be combined with --calibrate; "),
        (["--clip", "0.4"], r"--clip: must be at least 0 and below 1/3, .*received 0\.4"),
        (["--clip", "nan"], r"--clip: must be at least 0 and below 1/3, .*received nan"),
        (["--clip", "some"], r"--clip: invalid float value: 'some'"),
        (["-c", "linear-svm", "--clip", "0.1"], r"--clip: needs probabilities, .*pass --calibrate"),
        (["-c", "forest"], r"--classifier: invalid choice: 'forest'"),
        (["--out-of-core", "perhaps"], r"--out-of-core: invalid choice: 'perhaps'"),
        (["-d", "none.hdf5"], r"none\.hdf5 does not exist"),
        (["-m", "classifier.h5"], r"--model: must end in \.skops, .* received classifier\.h5"),
    ],
)
def test_mistakes(train, files_in, place, options, message):
    before = files_in(place)
    outcome = train(*options)
    assert outcome.code == 2
    assert re.search(rf"train_model: error: .*{message}", outcome.err)
    assert files_in(place) == before


def test_numbers_that_are_not_finite(train, place, files_in):
    with h5py.File("features.hdf5", "r+") as file:
        file["features"][17] = np.nan
    before = files_in(place)
    outcome = train()
    assert outcome.code == 2
    assert re.search(r"--dataset: features\.hdf5 must hold finite numbers in the range of float32; row 17", outcome.err)
    assert files_in(place) == before


@pytest.mark.parametrize("existing", ["classifier.pickle", "classifier.pickle.json", "classifier_confusion_matrix.png",
                                      "classifier.json", "classifier_predictions.hdf5"])  # fmt: skip
def test_existing_files_are_kept_unless_forced(train, place, existing):
    (place / "model").mkdir()
    (place / "model" / existing).write_text("old")
    outcome = train(model="model/classifier.pickle")
    assert outcome.code == 2
    assert re.search(rf"--model: model/{re.escape(existing)} exists; .*--force", outcome.err)
    assert os.listdir("model") == [existing]
    assert (place / "model" / existing).read_text() == "old"
    assert train("--force", model="model/classifier.pickle").code == 0
    assert (place / "model" / existing).read_bytes() != b"old"


def test_two_classifiers_in_one_folder_keep_their_files(train):
    assert train(model="model/first.skops").code == 0
    before = {path: path.read_bytes() for path in Path("model").glob("first*")}
    assert train("-c", "sgd", model="model/second.skops").code == 0
    assert {path: path.read_bytes() for path in Path("model").glob("first*")} == before
    endings = [".json", ".skops", "_confusion_matrix.png", "_predictions.hdf5"]
    assert sorted(path.name for path in Path("model").glob("second*")) == [f"second{ending}" for ending in endings]


def test_the_model_card_lies_beside_the_model(train):
    assert train(model="elsewhere/c.skops").code == 0
    assert "c.skops" in Path("elsewhere/MODEL_CARD.md").read_text("utf-8")
    assert not list(Path("output").rglob("MODEL_CARD.md"))
