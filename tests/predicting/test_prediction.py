import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.predicting.prediction import Prediction, predict_files


class Fixed:
    """A predictor that says the same of each crop, and remembers how many crops came at once."""

    label_names = ["a", "b"]
    channels = 3

    def __init__(self, row, crops=1):
        self.row, self.crops, self.sizes = row, crops, []

    def prepare(self, image):
        return [np.zeros((self.crops, 1), np.float32)]

    def scores(self, inputs):
        self.sizes.append(len(inputs[0]))
        return np.tile(np.float32(self.row), (len(inputs[0]), 1))


@pytest.fixture
def paths(tmp_path):
    names = [str(tmp_path / f"{number}.png") for number in range(7)]
    for name in names:
        cv2.imwrite(name, np.zeros((3, 400, 3), np.uint8))
    return names


@pytest.mark.parametrize(("batch_size", "sizes"), [(1, [10] * 7), (25, [20, 20, 20, 10]), (999, [70])])
def test_crops_count_in_a_batch(paths, batch_size, sizes):
    predictor = Fixed([0.25, 0.75], crops=10)
    predictions = list(predict_files(predictor, paths, batch_size, 2, Decoding()))
    assert [each.path for each in predictions] == paths
    assert predictor.sizes == sizes
    np.testing.assert_allclose([each.probabilities for each in predictions], [[0.25, 0.75]] * 7)


def test_thumbnails_are_small_and_made_if_asked_for(paths):
    (with_one,) = predict_files(Fixed([0, 1]), paths[:1], 1, 1, Decoding(), thumbnails=True)
    (without,) = predict_files(Fixed([0, 1]), paths[:1], 1, 1, Decoding())
    assert with_one.thumbnail.shape == (1, 160, 3)
    assert without.thumbnail.size == 0


@pytest.mark.parametrize("row", [[0.3, 0.3], [-0.5, 1.5], [np.nan, 1], [np.inf, 0]])
def test_what_is_no_probability_is_refused(paths, row):
    with pytest.raises(UserError, match=r"model: must give probabilities, which sum to 1; for .*0\.png it gave a sum"):
        list(predict_files(Fixed(row), paths, 4, 1, Decoding()))


def test_probabilities_of_low_precision_are_made_to_sum_to_1(paths):
    (prediction,) = predict_files(Fixed([0.25, 0.753]), paths[:1], 1, 1, Decoding())
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-15)


def test_equal_classes_are_in_the_order_of_their_numbers():
    prediction = Prediction("a.png", np.array([0.1, 0.3, 0.3, 0.2, 0.1]))
    assert [number for number, _ in prediction.best(9)] == [1, 2, 3, 0, 4]
    assert prediction.best(1) == [(1, 0.3)]
