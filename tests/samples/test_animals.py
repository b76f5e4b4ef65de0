"""The drawn animals: alike in all but what makes a cat a cat."""

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split

from pyimagesearch.samples.animals import LABELS, paint


def rng_of(label, number):
    return np.random.default_rng([42, LABELS.index(label), number])


@pytest.mark.parametrize("label", LABELS)
def test_a_picture_depends_on_its_random_numbers_alone(label):
    first, again = paint(label, rng_of(label, 3)), paint(label, rng_of(label, 3))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8
    assert first.shape[2] == 3
    other = paint(label, rng_of(label, 4))
    assert other.shape != first.shape or (other != first).any()


def test_pictures_have_many_sizes_and_few_are_square():
    shapes = [paint("cat", rng_of("cat", number)).shape[:2] for number in range(30)]
    assert len(set(shapes)) > 20
    assert sum(height == width for height, width in shapes) < 5


def test_raw_pixels_do_not_give_the_class_away():
    """Logistic regression on 32x32 pixels, its C tuned, stays under 75%."""
    pixels, labels = [], []
    for number in range(500):
        for label in LABELS:
            small = cv2.resize(paint(label, rng_of(label, number)), (32, 32), interpolation=cv2.INTER_AREA)
            pixels.append(small.ravel() / 255)
            labels.append(label)
    train_x, test_x, train_y, test_y = train_test_split(pixels, labels, test_size=0.25, stratify=labels, random_state=0)
    search = GridSearchCV(LogisticRegression(max_iter=3000), {"C": [0.001, 0.01, 0.1]}, cv=3)
    accuracy = search.fit(train_x, train_y).score(test_x, test_y)
    print(f"logistic regression on 32x32 pixels: {accuracy:.1%}")
    assert accuracy < 0.75
