from collections import Counter

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import PatchPreprocessor


class Always:
    """Gives the same random number for ever."""

    def __init__(self, number):
        self.number = number

    def random(self, count):
        return [self.number] * count


@pytest.fixture
def coordinates():
    """An image whose pixels are their own (row, column)."""
    return np.stack(np.mgrid[:5, :7], axis=-1).astype(np.uint8)


def test_every_position_comes_up_equally_often(coordinates, rng):
    patch = PatchPreprocessor(width=4, height=3)
    corners = Counter(tuple(patch.preprocess(coordinates, rng)[0, 0].tolist()) for _ in range(6000))
    assert set(corners) == {(top, left) for top in range(3) for left in range(4)}
    assert min(corners.values()) > 400
    assert max(corners.values()) < 600


def test_a_patch_is_a_window_of_the_image(coordinates, rng):
    for _ in range(50):
        patch = PatchPreprocessor(4, 3).preprocess(coordinates, rng)
        top, left = patch[0, 0]
        np.testing.assert_array_equal(patch, coordinates[top : top + 3, left : left + 4])


@pytest.mark.parametrize(("number", "corner"), [(0.0, (0, 0)), (1 - 2**-53, (2, 3))])
def test_the_extreme_random_numbers_give_the_extreme_positions(coordinates, number, corner):
    patch = PatchPreprocessor(4, 3).preprocess(coordinates, Always(number))
    assert tuple(patch[0, 0]) == corner
    assert patch.shape == (3, 4, 2)


def test_a_window_of_the_image_s_size_is_the_image(coordinates):
    np.testing.assert_array_equal(PatchPreprocessor(7, 5).preprocess(coordinates), coordinates)


def test_without_a_generator_the_patches_differ(coordinates):
    patch = PatchPreprocessor(1, 1)
    assert len({tuple(patch.preprocess(coordinates)[0, 0].tolist()) for _ in range(100)}) > 1


@pytest.mark.parametrize(("width", "height"), [(8, 5), (7, 6)])
def test_a_window_must_fit(coordinates, width, height):
    with pytest.raises(UserError, match=rf"PatchPreprocessor: a window of {width}x{height} .*image of 7x5"):
        PatchPreprocessor(width, height).preprocess(coordinates)
