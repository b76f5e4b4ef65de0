import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn import metrics

from pyimagesearch.ml.linear import decide, log_loss, one_against_rest, softmax, squared_hinge


def problem(columns, rng):
    return rng.normal(size=(7, columns)) * 3, rng.integers(0, max(columns, 2), 7)


@pytest.mark.parametrize("loss", [log_loss, squared_hinge])
@pytest.mark.parametrize("columns", [1, 3, 5])
def test_the_derivative_is_that_of_the_loss(loss, columns, rng):
    scores, truth = problem(columns, rng)
    error = check_grad(
        lambda flat: loss(flat.reshape(scores.shape), truth)[0].sum(),
        lambda flat: loss(flat.reshape(scores.shape), truth)[1].ravel(),
        scores.ravel(),
    )
    assert error < 1e-5


@pytest.mark.parametrize("columns", [1, 3])
def test_log_loss_is_that_of_the_softmax(columns, rng):
    scores, truth = problem(columns, rng)
    expected = metrics.log_loss(truth, softmax(scores), labels=range(max(columns, 2)), normalize=False)
    assert log_loss(scores, truth)[0].sum() == pytest.approx(expected)


def test_hinge_loss_is_zero_beyond_the_margin():
    assert squared_hinge(np.array([[1.0], [-5.0]]), np.array([1, 0]))[0].tolist() == [0, 0]
    assert squared_hinge(np.array([[0.5], [1.0]]), np.array([1, 0]))[0].tolist() == [0.25, 4]


@pytest.mark.parametrize("probabilities", [softmax, one_against_rest])
@pytest.mark.parametrize("columns", [1, 4])
def test_probabilities_add_up_and_follow_the_scores(probabilities, columns, rng):
    scores = rng.normal(size=(50, columns)) * 2000
    shares = probabilities(scores)
    assert shares.shape == (50, max(columns, 2))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(shares[np.arange(50), decide(scores)], shares.max(axis=1))
