import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.classifier import Classifier, files_of
from pyimagesearch.ml.linear import KINDS
from pyimagesearch.ml.linearclassifiercv import LinearClassifierCV

REST = np.random.default_rng(1).permutation(np.arange(200, 300))
RECIPE = '{"network": "resnet50", "size": [224, 224]}'


@pytest.fixture
def classifier(rng):
    features = rng.normal(size=(20, 3))
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(features, np.array(["cat", "dog"] * 10))


class Program:
    """Unpickling it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("suffix", [".skops", ".pickle"])
def test_a_fitted_classifier_comes_back(tmp_path, classifier, suffix, rng):
    path = tmp_path / "models" / f"classifier{suffix}"
    Classifier(classifier, RECIPE, ["cat", "dog"], 0.01).save(path)
    assert set(path.parent.iterdir()) == set(files_of(path))
    loaded = Classifier.load(path, trust_pickle=suffix == ".pickle")
    assert (loaded.recipe, loaded.label_names, loaded.clip) == (RECIPE, ["cat", "dog"], 0.01)
    features = rng.normal(size=(9, 3))
    np.testing.assert_array_equal(loaded.estimator.predict_proba(features), classifier.predict_proba(features))
    np.testing.assert_array_equal(loaded.estimator.predict(features), classifier.predict(features))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [("ant", "bee"), ("line\nfeed", "\udcff$%{0}", "日本")])
def test_every_kind_of_classifier_is_a_safe_skops_file(tmp_path, write_features, kind, names):
    features = FeatureFile(write_features(classes=len(names)))
    features.names = sorted(names)
    pipeline = LinearClassifierCV([0.1], kind=kind).fit(features).best_estimator_
    Classifier(pipeline).save(tmp_path / "classifier.skops")
    rows = features.read(np.arange(300))
    expected = pipeline.predict(rows)
    assert (skops.io.load(tmp_path / "classifier.skops", trusted=[]).predict(rows) == expected).all()
    loaded = Classifier.load(tmp_path / "classifier.skops")
    assert loaded.label_names == sorted(names)
    assert (loaded.estimator.predict(rows) == expected).all()


def test_files_of_others_load_without_recipe(tmp_path, classifier):
    skops.io.dump(classifier, tmp_path / "plain.skops")
    (tmp_path / "plain.pickle").write_bytes(pickle.dumps(classifier))
    for path in (tmp_path / "plain.skops", tmp_path / "plain.pickle"):
        loaded = Classifier.load(path, trust_pickle=True)
        assert (loaded.recipe, loaded.label_names, loaded.clip) == ("", ["cat", "dog"], 0.0)


@pytest.mark.parametrize("name", ["classifier.cpickle", "classifier", "classifier.skops.bak"])
def test_another_suffix_is_refused_before_anything_is_written(tmp_path, name, classifier):
    message = r"model_path: must end in \.skops, or in \.pickle for a Python pickle; received"
    for attempt in (files_of, Classifier.load, Classifier(classifier).save):
        with pytest.raises(UserError, match=message):
            attempt(tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".skops", ".pickle"])
def test_a_missing_file(tmp_path, suffix):
    with pytest.raises(UserError, match=r"model_path: \S+none\.\w+ does not exist; train a classifier first"):
        Classifier.load(tmp_path / f"none{suffix}", trust_pickle=True)


def test_a_pickle_runs_nothing_unless_it_is_trusted(tmp_path):
    path = tmp_path / "hostile.pickle"
    path.write_bytes(pickle.dumps(Program(tmp_path / "proof")))
    with pytest.raises(UserError, match=r"loading a pickle can run any code .*trust_pickle=True .*to a \.skops file"):
        Classifier.load(path)
    assert not (tmp_path / "proof").exists()
    with pytest.raises(UserError, match=r"hostile\.pickle must hold a fitted classifier"):
        Classifier.load(path, trust_pickle=True)
    assert (tmp_path / "proof").exists()


def test_a_skops_file_of_unknown_types_is_refused_and_they_are_named(tmp_path, classifier):
    hostile = make_pipeline(FunctionTransformer(os.system), classifier)
    skops.io.dump(hostile, tmp_path / "hostile.skops")
    with pytest.raises(UserError, match=r"hostile\.skops must hold only types .*it holds posix\.system; do not trust"):
        Classifier.load(tmp_path / "hostile.skops")


def test_a_model_that_is_no_classifier(tmp_path):
    skops.io.dump(StandardScaler(), tmp_path / "scaler.skops")
    with pytest.raises(UserError, match=r"scaler\.skops must hold a fitted classifier; it does not"):
        Classifier.load(tmp_path / "scaler.skops")


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"text", lambda data: data[: len(data) // 2]])
@pytest.mark.parametrize("suffix", [".skops", ".pickle"])
def test_damaged_files(tmp_path, classifier, suffix, damage):
    path = tmp_path / f"classifier{suffix}"
    Classifier(classifier).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        UserError, match=r"classifier\.\w+ must hold a fitted classifier.* or it is damaged .*train again"
    ):
        Classifier.load(path, trust_pickle=True)


@pytest.mark.parametrize(
    "content", ["[]", "no json", {"label_names": ["cat"]}, {"clip": 0.5}, {"clip": "much"}, {"recipe": 3}]
)
@pytest.mark.parametrize("suffix", [".skops", ".pickle"])
def test_a_description_that_does_not_fit(tmp_path, classifier, suffix, content):
    path, text = tmp_path / f"classifier{suffix}", content if isinstance(content, str) else json.dumps(content)
    if suffix == ".skops":
        skops.io.dump(classifier, path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("pyimagesearch.json", text)
    else:
        Classifier(classifier).save(path)
        files_of(path)[1].write_text(text)
    with pytest.raises(UserError, match=r"classifier\.\w+ must hold a fitted classifier"):
        Classifier.load(path, trust_pickle=True)


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_probabilities_are_clipped(classifier, rng, clip):
    features = 100 * rng.normal(size=(50, 3))
    probabilities = Classifier(classifier, "", ["cat", "dog"], clip).predict_proba(features)
    expected = np.clip(classifier.predict_proba(features), clip, 1 - clip)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (classifier.predict_proba(features) < 0.05).any()


def test_three_clipped_probabilities_still_add_up(rng):
    rows, labels = rng.normal(size=(60, 3)), np.arange(60) % 3
    model = LogisticRegression(C=1e4).fit(rows + 9 * np.eye(3)[labels], labels)
    probabilities = Classifier(model, "", ["a", "b", "c"], 0.02).predict_proba(rows + 9 * np.eye(3)[labels])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert 0.018 < probabilities.min() < probabilities.max() < 0.98


def test_a_classifier_without_probabilities_says_what_to_do(rng):
    model = LinearSVC().fit(rng.normal(size=(20, 3)), np.arange(20) % 2)
    with pytest.raises(UserError, match=r"a linear SVM does not .*calibrate=True"):
        Classifier(model, "", ["0", "1"]).predict_proba(np.zeros((1, 3)))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("clip", [0.0, 0.1])
def test_predictions_are_those_of_scikit_learn(write_features, classes, clip):
    features = FeatureFile(write_features(classes=classes))
    pipeline = LinearClassifierCV([1.0]).fit(features, np.arange(200)).best_estimator_
    classifier = Classifier(pipeline, "", features.names, clip)
    predictions, probabilities = classifier.predict_rows(features, REST)
    rows = features.read(REST)
    assert np.array(features.names)[predictions].tolist() == pipeline.predict(rows).tolist()
    np.testing.assert_allclose(probabilities, classifier.predict_proba(rows))
    assert len(set(predictions.tolist())) == classes


def test_a_classifier_without_probabilities_predicts_classes_alone(write_features):
    features = FeatureFile(write_features())
    pipeline = LinearClassifierCV([1.0], kind="linear-svm").fit(features, np.arange(200)).best_estimator_
    predictions, probabilities = Classifier(pipeline).predict_rows(features, REST)
    assert np.array(features.names)[predictions].tolist() == pipeline.predict(features.read(REST)).tolist()
    assert probabilities is None
