import tracemalloc

import h5py
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.search import KINDS, search

C_VALUES = (0.0001, 0.001, 0.01, 0.1, 1.0)
ROWS = np.random.default_rng(2).permutation(240)


def grid_search(features, model, **options):
    pipeline = make_pipeline(StandardScaler(), model)
    name = f"{type(model).__name__.lower()}__C"
    searched = GridSearchCV(pipeline, {name: C_VALUES}, cv=3, **options)
    return searched.fit(features.read(ROWS).astype(np.float64), features.labels[ROWS])


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("d", [20, 400])
def test_logistic_regression_is_scikit_learn_s_optimum(write_features, classes, d):
    features = FeatureFile(write_features(classes=classes, d=d))
    ours = search(features, ROWS, "logistic", C_VALUES)
    theirs = grid_search(features, LogisticRegression(max_iter=10_000, tol=1e-8))
    means = [np.mean(candidate.accuracy) for candidate in ours.candidates]
    np.testing.assert_allclose(means, theirs.cv_results_["mean_test_score"], atol=1.1 / 240)
    assert ours.best.c == theirs.best_params_["logisticregression__C"]
    rows = features.read(np.arange(240, 300))
    expected = theirs.predict_proba(rows.astype(np.float64))
    np.testing.assert_allclose(ours.pipeline.predict_proba(rows), expected, atol=2e-4)
    best = theirs.best_estimator_[-1]
    np.testing.assert_allclose(ours.pipeline[-1].coef_, best.coef_, atol=2e-3 * np.abs(best.coef_).max())
    np.testing.assert_allclose(ours.pipeline[0].mean_, theirs.best_estimator_[0].mean_)


def test_log_losses_of_the_folds_are_those_of_scikit_learn(write_features):
    features = FeatureFile(write_features(classes=3))
    ours = search(features, ROWS, "logistic", C_VALUES)
    model = LogisticRegression(max_iter=10_000, tol=1e-8)
    theirs = grid_search(features, model, scoring="neg_log_loss").cv_results_
    for number, candidate in enumerate(ours.candidates):
        expected = [-theirs[f"split{fold}_test_score"][number] for fold in range(3)]
        np.testing.assert_allclose(candidate.log_loss, expected, rtol=1e-3)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_support_vector_machine_is_scikit_learn_s(write_features, classes):
    features = FeatureFile(write_features(classes=classes))
    ours = search(features, ROWS, "linear-svm", C_VALUES)
    # liblinear penalises the intercept, the less the larger its scale is
    model = LinearSVC(dual=False, max_iter=100_000, tol=1e-8, intercept_scaling=1000)
    theirs = grid_search(features, model)
    means = [np.mean(candidate.accuracy) for candidate in ours.candidates]
    np.testing.assert_allclose(means, theirs.cv_results_["mean_test_score"], atol=0.005)
    same = make_pipeline(StandardScaler(), model.set_params(C=ours.best.c))
    same.fit(features.read(ROWS).astype(np.float64), features.labels[ROWS])
    rows = features.read(np.arange(240, 300))
    np.testing.assert_allclose(
        ours.pipeline.decision_function(rows), same.decision_function(rows.astype(np.float64)), atol=2e-3
    )
    assert {len(candidate.log_loss) for candidate in ours.candidates} == {0}


@pytest.mark.parametrize("classes", [2, 4])
def test_stochastic_descent_comes_near_to_the_optimum(write_features, classes):
    features = FeatureFile(write_features(2000, classes=classes, distance=2.0))
    rows, rest = np.arange(1500), np.arange(1500, 2000)
    stochastic = search(features, rows, "sgd", [0.01])
    exact = search(features, rows, "logistic", [0.01])
    both = [found.pipeline.predict_proba(features.read(rest)) for found in (stochastic, exact)]
    losses = [log_loss(features.labels[rest], probabilities) for probabilities in both]
    assert losses[0] < 1.15 * losses[1]
    np.testing.assert_allclose(both[0].sum(axis=1), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_out_of_core_and_any_number_of_threads_give_the_same(write_features, kind, dtype):
    path = write_features(classes=3, dtype=dtype)
    found = [
        search(FeatureFile(path, in_memory), ROWS, kind, (0.01, 0.1), threads=threads)
        for in_memory, threads in ((True, 1), (False, 3))
    ]
    np.testing.assert_array_equal(found[0].pipeline[-1].coef_, found[1].pipeline[-1].coef_)
    np.testing.assert_array_equal(found[0].scores, found[1].scores)
    assert found[0].candidates == found[1].candidates


def test_another_seed_gives_another_order_of_descent(write_features):
    features = FeatureFile(write_features())
    first, again, other = (search(features, ROWS, "sgd", (0.01,), seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.pipeline[-1].coef_, again.pipeline[-1].coef_)
    assert (first.pipeline[-1].coef_ != other.pipeline[-1].coef_).any()


def test_memory_does_not_grow_with_the_rows(tmp_path):
    d, peaks = 512, []
    for n in (3000, 24_000):  # 6 and 49 MB
        path, rng = tmp_path / f"{n}.hdf5", np.random.default_rng(0)
        with h5py.File(path, "w") as file:
            file["features"], file["labels"] = rng.normal(size=(n, d)).astype(np.float32), np.arange(n) % 2
        features = FeatureFile(path, in_memory=False)
        search(features, np.arange(0, n, 2) + np.arange(n // 2) % 2, "logistic", (0.001,))  # what is loaded once
        tracemalloc.start()
        search(features, np.arange(0, n, 2) + np.arange(n // 2) % 2, "logistic", (0.001,))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4e6


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_features_of_any_size_and_place_train_alike(tmp_path, write_features, scale):
    path = write_features()
    with h5py.File(path, "r+") as file:
        file["features"][:, 15] = 12345
    expected = search(FeatureFile(path), ROWS, "logistic", C_VALUES)
    with h5py.File(path, "r+") as file:
        file["features"][:, 3:9] = 1000 * scale + scale * file["features"][:, 3:9]
    moved = search(FeatureFile(path), ROWS, "logistic", C_VALUES)
    assert moved.best.c == expected.best.c
    np.testing.assert_allclose(moved.scores, expected.scores, atol=0.01)
    assert (moved.pipeline[-1].coef_[:, 15] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_classifier_knows_its_classes_by_name(write_features, kind):
    features = FeatureFile(write_features(classes=3, names=["owl", "ant", "line\nfeed %s"]))
    pipeline = search(features, ROWS, kind, (0.1,)).pipeline
    assert pipeline.classes_.tolist() == features.names == ["ant", "line\nfeed %s", "owl"]
    predicted = pipeline.predict(features.read(ROWS))
    assert (predicted == np.array(features.names)[features.labels[ROWS]]).mean() > 0.5


@pytest.mark.parametrize("folds", [1, 6])
def test_too_many_folds_for_the_rarest_class(write_features, folds):
    features = FeatureFile(write_features(10))
    with pytest.raises(UserError, match=rf"--folds: must be from 2 to 5, .* class \('0'\); received {folds}; ask"):
        search(features, np.arange(10), "logistic", C_VALUES, folds)


def test_more_folds_give_more_figures(write_features):
    found = search(FeatureFile(write_features()), ROWS, "logistic", (0.1, 1.0), folds=5)
    assert [len(candidate.accuracy) for candidate in found.candidates] == [5, 5]
