import cv2
import numpy as np
import pytest

from pyimagesearch.preprocessing.resizing import resize

SIDES = [(375, 256), (300, 227), (256, 227), (256, 224), (257, 256), (511, 256), (512, 256), (7, 4), (3, 2), (30, 10)]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("source", "target"), SIDES)
def test_pixels_are_those_of_opencv_to_one_step(source, target, channels, rng):
    image = rng.integers(0, 256, (source, source, channels), np.uint8)
    expected = cv2.resize(image, (target, target), interpolation=cv2.INTER_AREA).reshape(target, target, channels)
    result = resize(image, target, target)
    assert result.dtype == np.uint8
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_sides_of_any_length_are_resized_as_opencv_does(rng):
    for _ in range(500):
        width, height = rng.integers(2, 100, 2).tolist()
        shape = rng.integers(height // 2 + 1, 3 * height), rng.integers(width // 2 + 1, 3 * width), 3
        image = rng.integers(0, 256, shape, np.uint8)
        expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        assert np.abs(resize(image, width, height).astype(int) - expected).max() <= 1, (shape, width, height)


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 1), (30, 40, 3)])
def test_float_images_keep_their_dtype_and_axes(shape, rng):
    image = rng.normal(size=shape).astype(np.float32)
    result = resize(image, 25, 20)
    assert (result.dtype, result.shape) == (np.float32, (20, 25, *shape[2:]))
    expected = cv2.resize(image, (25, 20), interpolation=cv2.INTER_AREA).reshape(result.shape)
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("inter", [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
def test_other_interpolations_are_left_to_opencv(inter, rng):
    image = rng.integers(0, 256, (30, 40, 3), np.uint8)
    np.testing.assert_array_equal(resize(image, 25, 20, inter), cv2.resize(image, (25, 20), interpolation=inter))


def test_the_result_is_written_where_the_caller_says(rng):
    out = np.zeros((20, 25, 3), np.uint8)
    result = resize(rng.integers(0, 256, (30, 40, 3), np.uint8), 25, 20, out=out)
    assert np.shares_memory(result, out)
    assert out.any()
