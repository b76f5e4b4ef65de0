import tracemalloc

import h5py
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.ml.linear import KINDS, decide
from pyimagesearch.ml.linearclassifiercv import CVResult, LinearClassifierCV

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
    ours = LinearClassifierCV(C_VALUES).fit(features, ROWS)
    theirs = grid_search(features, LogisticRegression(max_iter=10_000, tol=1e-8))
    means = [np.mean(result.accuracy) for result in ours.cv_results_]
    np.testing.assert_allclose(means, theirs.cv_results_["mean_test_score"], atol=1.1 / 240)
    assert theirs.best_params_["logisticregression__C"] == ours.C_
    rows = features.read(np.arange(240, 300))
    expected = theirs.predict_proba(rows.astype(np.float64))
    np.testing.assert_allclose(ours.predict_proba(rows), expected, atol=2e-4)
    best = theirs.best_estimator_[-1]
    np.testing.assert_allclose(ours.best_estimator_[-1].coef_, best.coef_, atol=2e-3 * np.abs(best.coef_).max())
    np.testing.assert_allclose(ours.best_estimator_[0].mean_, theirs.best_estimator_[0].mean_)


def test_log_losses_of_the_folds_are_those_of_scikit_learn(write_features):
    features = FeatureFile(write_features(classes=3))
    ours = LinearClassifierCV(C_VALUES).fit(features, ROWS)
    model = LogisticRegression(max_iter=10_000, tol=1e-8)
    theirs = grid_search(features, model, scoring="neg_log_loss").cv_results_
    for index, result in enumerate(ours.cv_results_):
        expected = [-theirs[f"split{fold}_test_score"][index] for fold in range(3)]
        np.testing.assert_allclose(result.log_loss, expected, rtol=1e-3)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_support_vector_machine_is_scikit_learn_s(write_features, classes):
    features = FeatureFile(write_features(classes=classes))
    ours = LinearClassifierCV(C_VALUES, kind="linear-svm").fit(features, ROWS)
    # liblinear penalises the intercept, the less the larger its scale is
    model = LinearSVC(dual=False, max_iter=100_000, tol=1e-8, intercept_scaling=1000)
    theirs = grid_search(features, model)
    means = [np.mean(result.accuracy) for result in ours.cv_results_]
    np.testing.assert_allclose(means, theirs.cv_results_["mean_test_score"], atol=0.005)
    same = make_pipeline(StandardScaler(), model.set_params(C=ours.C_))
    same.fit(features.read(ROWS).astype(np.float64), features.labels[ROWS])
    rows = features.read(np.arange(240, 300))
    np.testing.assert_allclose(
        ours.best_estimator_.decision_function(rows), same.decision_function(rows.astype(np.float64)), atol=2e-3
    )
    assert {len(result.log_loss) for result in ours.cv_results_} == {0}


@pytest.mark.parametrize("classes", [2, 4])
def test_stochastic_descent_comes_near_to_the_optimum(write_features, classes):
    features = FeatureFile(write_features(2000, classes=classes, distance=2.0))
    rows, rest = np.arange(1500), np.arange(1500, 2000)
    models = [LinearClassifierCV([0.01], kind=kind).fit(features, rows) for kind in ("sgd", "logistic")]
    both = [model.predict_proba(features.read(rest)) for model in models]
    losses = [log_loss(features.labels[rest], probabilities) for probabilities in both]
    assert losses[0] < 1.15 * losses[1]
    np.testing.assert_allclose(both[0].sum(axis=1), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_out_of_core_and_any_number_of_threads_give_the_same(write_features, kind, dtype):
    path = write_features(classes=3, dtype=dtype)
    found = [
        LinearClassifierCV([0.01, 0.1], kind=kind, jobs=jobs).fit(FeatureFile(path, in_memory), ROWS)
        for in_memory, jobs in ((True, 1), (False, 3))
    ]
    np.testing.assert_array_equal(found[0].best_estimator_[-1].coef_, found[1].best_estimator_[-1].coef_)
    np.testing.assert_array_equal(found[0].cv_scores_, found[1].cv_scores_)
    assert found[0].cv_results_ == found[1].cv_results_


def test_another_seed_gives_another_order_of_descent(write_features):
    features = FeatureFile(write_features())
    first, again, other = (
        LinearClassifierCV([0.01], kind="sgd", seed=seed).fit(features, ROWS).best_estimator_[-1].coef_
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_memory_does_not_grow_with_the_rows(tmp_path):
    d, peaks = 512, []
    for n in (3000, 24_000):  # 6 and 49 MB
        path, rng = tmp_path / f"{n}.hdf5", np.random.default_rng(0)
        with h5py.File(path, "w") as file:
            file["features"], file["labels"] = rng.normal(size=(n, d)).astype(np.float32), np.arange(n) % 2
        features = FeatureFile(path, in_memory=False)
        rows, model = np.arange(0, n, 2) + np.arange(n // 2) % 2, LinearClassifierCV([0.001], jobs=1)
        model.fit(features, rows)  # loads modules
        tracemalloc.start()
        model.fit(features, rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4e6


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_features_of_any_size_and_place_train_alike(tmp_path, write_features, scale):
    path = write_features()
    with h5py.File(path, "r+") as file:
        file["features"][:, 15] = 12345
    expected = LinearClassifierCV(C_VALUES).fit(FeatureFile(path), ROWS)
    with h5py.File(path, "r+") as file:
        file["features"][:, 3:9] = 1000 * scale + scale * file["features"][:, 3:9]
    moved = LinearClassifierCV(C_VALUES).fit(FeatureFile(path), ROWS)
    assert moved.C_ == expected.C_
    np.testing.assert_allclose(moved.cv_scores_, expected.cv_scores_, atol=0.01)
    assert (moved.best_estimator_[-1].coef_[:, 15] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_classifier_knows_its_classes_by_name(write_features, kind):
    features = FeatureFile(write_features(classes=3, names=["owl", "ant", "line\nfeed %s"]))
    model = LinearClassifierCV([0.1], kind=kind).fit(features, ROWS)
    assert model.classes_.tolist() == features.names == ["ant", "line\nfeed %s", "owl"]
    predicted = model.predict(features.read(ROWS))
    assert (predicted == np.array(features.names)[features.labels[ROWS]]).mean() > 0.5


@pytest.mark.parametrize(("cv", "advice"), [(1, "use 2 or more"), (6, "use fewer, or add images until it has 6")])
def test_folds_that_the_rarest_class_does_not_allow(write_features, cv, advice):
    features = FeatureFile(write_features(10))
    with pytest.raises(UserError, match=rf"cv: must be from 2 to 5, .* class \('0'\); received {cv}; {advice}$"):
        LinearClassifierCV(C_VALUES, cv=cv).fit(features)


@pytest.mark.parametrize(("kind", "classes", "model"), [
    ("logistic", 3, LogisticRegression(max_iter=10_000, tol=1e-8, class_weight="balanced")),
    ("linear-svm", 2,  # of more classes, liblinear weights only the one that is told from the rest
     LinearSVC(dual=False, max_iter=100_000, tol=1e-8, intercept_scaling=1000, class_weight="balanced")),
])  # fmt: skip
def test_balanced_weights_are_scikit_learn_s(write_features, kind, classes, model):
    path = write_features(classes=classes)
    with h5py.File(path, "r+") as file:  # most of the others become class 0
        labels = file["labels"][:]
        labels[(labels > 0) & (np.random.default_rng(1).random(len(labels)) < 0.7)] = 0
        file["labels"][:] = labels
    features = FeatureFile(path)
    ours = LinearClassifierCV(C_VALUES, kind=kind, class_weight="balanced").fit(features, ROWS)
    theirs = grid_search(features, model, scoring="balanced_accuracy")
    means = [np.mean(result.balanced_accuracy) for result in ours.cv_results_]
    np.testing.assert_allclose(means, theirs.cv_results_["mean_test_score"], atol=0.005)
    assert max(means) == means[C_VALUES.index(ours.C_)]
    same = make_pipeline(StandardScaler(), model.set_params(C=ours.C_))
    same.fit(features.read(ROWS).astype(np.float64), features.labels[ROWS])
    np.testing.assert_allclose(ours.best_estimator_[-1].coef_, same[-1].coef_, atol=2e-3 * np.abs(same[-1].coef_).max())
    plain = LinearClassifierCV(C_VALUES, kind=kind).fit(features, ROWS)
    assert (ours.best_estimator_[-1].class_weight, plain.best_estimator_[-1].class_weight) == ("balanced", None)
    assert max(means) > balanced_accuracy_score(features.labels[ROWS], decide(plain.cv_scores_)) + 0.02


def test_balanced_weights_of_stochastic_descent_find_more_of_a_rare_class(write_features):
    path = write_features(2000, distance=2.0)
    with h5py.File(path, "r+") as file:
        file["labels"][:] = file["labels"][:] * (np.arange(2000) % 5 == 0)
    features = FeatureFile(path)
    rare = np.flatnonzero(features.labels)
    found = [
        (LinearClassifierCV([0.01], kind="sgd", class_weight=weight).fit(features).cv_scores_[rare] > 0).mean()
        for weight in (None, "balanced")
    ]
    assert found[1] > found[0] + 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weight": "even"}, "class_weight: must be \"balanced\" or None; received 'even'"),
        (
            {"class_weight": "balanced", "calibrate": True},
            "class_weight: cannot be combined with calibrate=True; .*choose",
        ),
    ],
)
def test_class_weights_that_cannot_be(write_features, options, message):
    with pytest.raises(UserError, match=message):
        LinearClassifierCV(**options).fit(FeatureFile(write_features()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "linear-svm", "clip": 0.01}, "clip: needs probabilities, which linear-svm .*pass calibrate=True"),
        ({"clip": 0.2}, r"clip: must be at least 0 and below 1/5, .* received 0\.2"),
        ({"clip": -0.1}, r"clip: must be at least 0 and below 1/5, .* received -0\.1"),
        ({"clip": float("nan")}, "clip: must be at least 0 and below 1/5, .* received nan"),
    ],
)
def test_clipping_that_cannot_be(write_features, options, message):
    with pytest.raises(UserError, match=message):
        LinearClassifierCV(**options).fit(FeatureFile(write_features(classes=5)))


def test_a_calibrated_support_vector_machine_is_clipped(write_features):
    features = FeatureFile(write_features())
    model = LinearClassifierCV([0.1], kind="linear-svm", calibrate=True, clip=0.2).fit(features, ROWS)
    probabilities = model.predict_proba(features.read(ROWS))
    assert probabilities.min() == pytest.approx(0.2)
    assert probabilities.max() == pytest.approx(0.8)


def test_the_results_of_a_c_in_words():
    assert str(CVResult(0.01, [0.5, 0.7], [0.25, 0.35])) == (
        "C = 0.01: accuracy 60.00% ± 10.00%, log loss 0.3000 ± 0.0500"
    )
    assert str(CVResult(0.0001, [0.5, 0.5], [])) == "C = 0.0001: accuracy 50.00% ± 0.00%"


def test_more_folds_give_more_figures(write_features):
    model = LinearClassifierCV([0.1, 1.0], cv=5).fit(FeatureFile(write_features()), ROWS)
    assert [len(result.accuracy) for result in model.cv_results_] == [5, 5]
