import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import CropPreprocessor

SIZES = [(256, 256, 227, 227), (11, 14, 6, 5), (12, 9, 9, 12), (13, 13, 8, 8), (10, 10, 1, 1), (7, 8, 8, 7)]


@pytest.mark.parametrize(("height", "width", "crop_width", "crop_height"), SIZES)
@pytest.mark.parametrize("horiz", [True, False])
def test_corners_and_centre_are_cut_pixel_by_pixel(height, width, crop_width, crop_height, horiz, rng):
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    crops = CropPreprocessor(crop_width, crop_height, horiz).preprocess(image)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    expected = [
        image[:crop_height, :crop_width],
        image[:crop_height, -crop_width:],
        image[-crop_height:, -crop_width:],
        image[-crop_height:, :crop_width],
        image[top : top + crop_height, left : left + crop_width],
    ]
    if horiz:
        expected += [np.fliplr(crop) for crop in expected]
    np.testing.assert_array_equal(crops, np.stack(expected))


def test_the_crops_are_a_copy_of_their_own(rng):
    image = rng.integers(0, 256, (9, 9, 3), np.uint8)
    assert not np.shares_memory(CropPreprocessor(9, 9).preprocess(image), image)


@pytest.mark.parametrize(("width", "height"), [(10, 5), (5, 9)])
def test_a_crop_must_fit(width, height):
    with pytest.raises(UserError, match=rf"CropPreprocessor: a window of {width}x{height} .*image of 9x8"):
        CropPreprocessor(width, height).preprocess(np.zeros((8, 9, 3), np.uint8))
