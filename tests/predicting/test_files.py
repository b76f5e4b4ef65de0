import os

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.predicting.files import Prediction, find_images, predict_files


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/2.jpg", "a/1.PNG", "a/deep/3.gif", "a/notes.txt", "b/4.jpg", "odd[1].jpg", "no_suffix"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["b", "a"], ["b/4.jpg", "a/1.PNG", "a/2.jpg", "a/deep/3.gif"]),
        (["a/*"], ["a/1.PNG", "a/2.jpg", "a/deep/3.gif"]),
        (["**/*.jpg"], ["a/2.jpg", "b/4.jpg", "odd[1].jpg"]),
        (["odd[1].jpg", "no_suffix"], ["odd[1].jpg", "no_suffix"]),
        (["a/2.jpg", "./a/2.jpg", "a", "a/deep/../2.jpg"], ["a/2.jpg", "a/1.PNG", "a/deep/3.gif"]),
    ],
)
def test_images_come_in_order_and_once(files, names, found):
    assert find_images(names) == found


def test_a_folder_reached_by_a_link_is_the_same_folder(files, tmp_path):
    os.symlink(tmp_path / "b", tmp_path / "link")
    assert find_images(["link", "b"]) == ["link/4.jpg"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jpg", r"image: none\.jpg does not exist; check the path"),
        ("a/*.txt", r"image: a/\*\.txt matches no images .* and no folders; check the pattern"),
    ],
)
def test_a_name_that_leads_nowhere(files, name, message):
    with pytest.raises(UserError, match=message):
        find_images(["b", name])


class Fixed:
    """A predictor that gives every crop the same row, and remembers the sizes of its batches."""

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
    assert without.thumbnail is None


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
