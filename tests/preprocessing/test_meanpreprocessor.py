import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import MeanPreprocessor

R, G, B = 124.958, 115.975, 106.133


def expected(image):
    return image.astype(np.float32) - np.array((B, G, R), np.float32)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int16", "uint16"])
@pytest.mark.parametrize("shape", [(5, 7, 3), (1, 1, 3), (4, 1, 3), (2, 5, 7, 3), (10, 1, 4, 3)])
def test_each_mean_is_subtracted_from_its_channel_of_a_bgr_image(dtype, shape, rng):
    image = rng.integers(0, 256, shape).astype(dtype)
    result = MeanPreprocessor(R, G, B).preprocess(image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected(image), rtol=0, atol=1e-5)


def test_a_pure_colour_loses_its_own_mean():
    red = np.array([[[0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(MeanPreprocessor(5, 20, 30).preprocess(red), [[[-30, -20, 250]]])


def test_a_stack_that_is_a_view_is_subtracted_too(rng):
    stack = rng.integers(0, 256, (4, 6, 8, 3), np.uint8)[:, ::-1, 1:-1]
    np.testing.assert_allclose(MeanPreprocessor(R, G, B).preprocess(stack), expected(stack), atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7, 3), (2, 5, 7, 3)])
def test_out_is_filled_and_returned(shape, rng):
    image = rng.integers(0, 256, shape, np.uint8)
    out = np.empty(shape, np.float32)
    assert MeanPreprocessor(R, G, B).preprocess(image, out=out) is out
    np.testing.assert_allclose(out, expected(image), atol=1e-5)


def test_the_book_s_keywords_are_accepted():
    preprocessor = MeanPreprocessor(rMean=1, gMean=2, bMean=3)
    np.testing.assert_array_equal(preprocessor.preprocess(np.zeros((1, 1, 3), np.uint8)), [[[-3, -2, -1]]])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_gray_images_lose_the_mean_of_gray(shape, dtype, rng):
    image = rng.integers(0, 256, shape).astype(dtype)
    mean = cv2.cvtColor(np.array([[[B, G, R]]], np.float32), cv2.COLOR_BGR2GRAY).item()
    result = MeanPreprocessor(R, G, B).preprocess(image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, image.astype(np.float32) - mean, atol=1e-4)


@pytest.mark.parametrize("shape", [(5, 7, 4), (5, 7, 2), (3,), (2, 5, 7, 1), (1, 2, 5, 7, 3)])
def test_other_channels_have_no_means(shape):
    with pytest.raises(UserError, match=r"MeanPreprocessor needs shape \(height, width, 3\).*received shape"):
        MeanPreprocessor(R, G, B).preprocess(np.zeros(shape, np.uint8))
