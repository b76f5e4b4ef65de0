import cv2
import numpy as np
import pytest

from pyimagesearch.preprocessing import SimplePreprocessor


@pytest.mark.parametrize("inter", [cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC])
def test_the_image_is_resized_as_asked(inter, rng):
    image = rng.integers(0, 256, (20, 31, 3), np.uint8)
    np.testing.assert_array_equal(
        SimplePreprocessor(12, 7, inter).preprocess(image), cv2.resize(image, (12, 7), interpolation=inter)
    )


def test_area_interpolation_is_the_mean_of_the_pixels_covered(rng):
    image = rng.random((8, 12, 3)).astype(np.float32)
    means = image.reshape(4, 2, 4, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(SimplePreprocessor(4, 4).preprocess(image), means, rtol=1e-5)


def test_an_image_of_the_right_size_stays_as_it_is(rng):
    image = rng.integers(0, 256, (7, 12, 3), np.uint8)
    np.testing.assert_array_equal(SimplePreprocessor(12, 7).preprocess(image), image)
