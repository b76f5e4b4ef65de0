"""Small versions of images."""

import numpy as np
import pytest

from pyimagesearch.utils.thumbnails import thumbnail


@pytest.mark.parametrize(
    ("shape", "enlarge", "expected"),
    [
        ((320, 640, 3), True, (80, 160, 3)),
        ((40, 20, 3), True, (160, 80, 3)),
        ((40, 20, 3), False, (40, 20, 3)),
        ((160, 20, 1), True, (160, 20, 3)),
        ((320, 40), False, (160, 20, 3)),
        ((1, 4000, 3), True, (1, 160, 3)),
    ],
)
def test_the_longer_side_is_as_asked(shape, enlarge, expected):
    image = np.full(shape, 7, np.uint8)
    small = thumbnail(image, 160, enlarge)
    assert (small.shape, small.dtype) == (expected, np.uint8)
    assert (small == 7).all()


def test_channels_keep_their_order():
    assert thumbnail(np.full((9, 9, 3), (1, 2, 3), np.uint8), 3)[1, 1].tolist() == [1, 2, 3]
