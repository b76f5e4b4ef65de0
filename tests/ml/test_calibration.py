import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.calibration import fit_sigmoid
from pyimagesearch.ml.linear import KINDS
from pyimagesearch.ml.linearclassifiercv import LinearClassifierCV

ROWS, REST = np.arange(600), np.arange(600, 1000)


@pytest.fixture(params=[2, 4])
def features(request, write_features):
    return FeatureFile(write_features(1000, 30, classes=request.param, distance=1.5))


def test_two_classes_are_calibrated_as_scikit_learn_does(write_features):
    features = FeatureFile(write_features(1000, 30))
    ours = LinearClassifierCV([0.01], calibrate=True).fit(features, ROWS)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, tol=1e-8))
    theirs = CalibratedClassifierCV(pipeline, method="sigmoid", cv=3, ensemble=False)
    theirs.fit(features.read(ROWS).astype(np.float64), features.labels[ROWS])
    rows = features.read(REST)
    expected = theirs.predict_proba(rows.astype(np.float64))
    np.testing.assert_allclose(ours.predict_proba(rows), expected, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_come_near_to_those_of_the_best_logistic_regression(features, kind):
    truth = features.labels[REST]
    calibrated = LinearClassifierCV([0.001, 0.01, 0.1], kind=kind, calibrate=True).fit(features, ROWS)
    best = LinearClassifierCV([0.01]).fit(features, ROWS)
    losses = [log_loss(truth, model.predict_proba(features.read(REST))) for model in (calibrated, best)]
    assert losses[0] < losses[1] + 0.03
    assert losses[0] < 0.8 * np.log(len(features.names))
    assert calibrated.classes_.tolist() == features.names


def test_a_timid_classifier_is_made_as_sure_as_it_may_be(features):
    truth = features.labels[REST]
    models = [LinearClassifierCV([1e-5], calibrate=calibrate).fit(features, ROWS) for calibrate in (False, True)]
    losses = [log_loss(truth, model.predict_proba(features.read(REST))) for model in models]
    assert losses[1] < losses[0] - 0.1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_scores_of_any_size_give_the_same_probabilities(rng, scale):
    truth = np.arange(60) % 3
    scores = np.eye(3)[truth] + rng.normal(size=(60, 3))
    slope, offsets = fit_sigmoid(scores, truth)
    scaled, same = fit_sigmoid(scores * scale, truth)
    assert scaled * scale == pytest.approx(slope, rel=1e-3)
    np.testing.assert_allclose(same - same[0], offsets - offsets[0], atol=1e-3)


@pytest.mark.parametrize("columns", [1, 3])
def test_scores_that_tell_all_classes_apart_leave_some_doubt(columns):
    truth = np.arange(12) % max(columns, 2)
    scores = 2.0 * truth[:, None] - 1 if columns == 1 else np.eye(3)[truth]
    slope, offsets = fit_sigmoid(scores, truth)
    logits = slope * scores + offsets
    assert 0 < slope < 100
    assert np.ptp(logits, axis=None) < 20


def test_scores_that_say_nothing_give_the_shares_of_the_classes():
    slope, offsets = fit_sigmoid(np.zeros((100, 1)), np.repeat([0, 1], [80, 20]))
    assert np.isfinite(slope)
    assert 1 / (1 + np.exp(-offsets[0])) == pytest.approx(0.2, abs=0.02)
