import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.classifierfile import Classifier
from pyimagesearch.ml.evaluation import check_probabilities, in_words, predict
from pyimagesearch.ml.search import Candidate, search

REST = np.random.default_rng(1).permutation(np.arange(200, 300))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("clip", [0.0, 0.1])
def test_predictions_are_those_of_scikit_learn(write_features, classes, clip):
    features = FeatureFile(write_features(classes=classes))
    pipeline = search(features, np.arange(200), "logistic", (1.0,)).pipeline
    classifier = Classifier(pipeline, "", features.names, clip)
    predictions, probabilities = predict(classifier, features, REST)
    rows = features.read(REST)
    assert np.array(features.names)[predictions].tolist() == pipeline.predict(rows).tolist()
    np.testing.assert_allclose(probabilities, classifier.predict_proba(rows))
    assert len(set(predictions.tolist())) == classes


def test_a_classifier_without_probabilities_predicts_classes_alone(write_features):
    features = FeatureFile(write_features())
    pipeline = search(features, np.arange(200), "linear-svm", (1.0,)).pipeline
    predictions, probabilities = predict(Classifier(pipeline, "", features.names), features, REST)
    assert np.array(features.names)[predictions].tolist() == pipeline.predict(features.read(REST)).tolist()
    assert probabilities is None


@pytest.mark.parametrize(
    ("kind", "calibrated", "clip", "classes", "message"),
    [
        ("linear-svm", False, 0.01, 2, r"--clip: needs probabilities, which linear-svm has only with --calibrate"),
        ("logistic", False, 0.2, 5, r"--clip: must be below 1/5, .* received 0\.2; lower it"),
    ],
)
def test_clipping_that_cannot_be(kind, calibrated, clip, classes, message):
    with pytest.raises(UserError, match=message):
        check_probabilities(kind, calibrated, clip, classes)


@pytest.mark.parametrize(
    "fine", [("linear-svm", True, 0.01, 2), ("linear-svm", False, 0.0, 2), ("logistic", False, 0.2, 4)]
)
def test_clipping_that_can_be(fine):
    check_probabilities(*fine)


def test_a_candidate_in_words():
    assert in_words(Candidate(0.01, [0.5, 0.7], [0.25, 0.35])) == (
        "C = 0.01: accuracy 60.00% ± 10.00%, log loss 0.3000 ± 0.0500"
    )
    assert in_words(Candidate(0.0001, [0.5, 0.5], [])) == "C = 0.0001: accuracy 50.00% ± 0.00%"
