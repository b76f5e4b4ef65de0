import tracemalloc

import cv2
import numpy as np
import pytest

from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.preprocessing import AspectAwarePreprocessor


@pytest.mark.parametrize(
    ("height", "width", "scaled", "window"),
    [
        (20, 40, (10, 20), np.s_[:, 5:15]),
        (40, 20, (20, 10), np.s_[5:15, :]),
        (5, 9, (10, 18), np.s_[:, 4:14]),
        (30, 30, (10, 10), np.s_[:, :]),
    ],
    ids=["wide", "tall", "enlarged", "square"],
)
def test_the_image_is_scaled_to_cover_and_cut_evenly(height, width, scaled, window, rng):
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    covering = cv2.resize(image, scaled[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(AspectAwarePreprocessor(10, 10).preprocess(image), covering[window])


def test_what_is_cut_is_cut_before_anything_is_resized(rng):
    image = rng.integers(0, 256, (26, 21, 3), np.uint8)
    resized = cv2.resize(image[2:23], (10, 10), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(AspectAwarePreprocessor(10, 10).preprocess(image), resized)


@pytest.mark.parametrize(("height", "width"), [(375, 499), (500, 333), (257, 350)])
def test_the_picture_is_the_one_that_the_book_gets_by_resizing_first(height, width):
    yy, xx = np.mgrid[:height, :width]
    image = np.rint(127 + 80 * np.sin(xx / 40) + 40 * np.cos(yy / 25)).astype(np.uint8)[..., None].repeat(3, axis=2)
    scale = 256 / min(height, width)
    h, w = round(height * scale), round(width * scale)
    covering = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    top, left = (h - 256) // 2, (w - 256) // 2
    book = covering[top : top + 256, left : left + 256].astype(int)
    assert np.abs(AspectAwarePreprocessor(256, 256).preprocess(image) - book).max() <= 3


def test_a_target_that_is_no_square_is_covered_too(rng):
    image = rng.integers(0, 256, (30, 30, 3), np.uint8)
    covering = cv2.resize(image, (15, 15), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(AspectAwarePreprocessor(15, 5).preprocess(image), covering[5:10])


def test_an_image_of_the_right_width_is_only_cut(rng):
    image = rng.integers(0, 256, (16, 10, 3), np.uint8)
    np.testing.assert_array_equal(AspectAwarePreprocessor(10, 10).preprocess(image), image[3:13])


def test_interpolation_is_as_asked(rng):
    image = rng.integers(0, 256, (20, 20, 3), np.uint8)
    nearest = AspectAwarePreprocessor(10, 10, cv2.INTER_NEAREST).preprocess(image)
    np.testing.assert_array_equal(nearest, cv2.resize(image, (10, 10), interpolation=cv2.INTER_NEAREST))


@pytest.mark.parametrize("height", [1, 2, 3, 99, 1000])
@pytest.mark.parametrize("width", [1, 7, 333])
@pytest.mark.parametrize("target", [(10, 10), (7, 3), (1, 1)])
def test_any_image_comes_out_in_the_size_asked_for(height, width, target):
    image = np.zeros((height, width, 3), np.uint8)
    assert AspectAwarePreprocessor(*target).preprocess(image).shape == (*target[::-1], 3)


@pytest.mark.parametrize("shape", [(1, 3_000_001, 3), (3_000_001, 1, 3)])
def test_a_line_is_cut_before_it_is_scaled_to_gigabytes(shape):
    image = np.zeros(shape, np.uint8)
    image[tuple(n // 2 for n in shape[:2])] = 255
    tracemalloc.start()
    result = AspectAwarePreprocessor(100, 100).preprocess(image)
    assert tracemalloc.get_traced_memory()[1] < 100 * 6400 * 3 * 2
    tracemalloc.stop()
    assert result.shape == (100, 100, 3)
    assert result.max() == 255


def test_a_mapped_row_is_not_copied(write_dataset, rng):
    path, preprocessor = write_dataset(rng.integers(0, 256, (4, 12, 18, 3), np.uint8)), AspectAwarePreprocessor(12, 12)
    transform, writeable = preprocessor.transform, []

    def note(image, numbers, out):
        writeable.append(image.flags.writeable)
        return transform(image, numbers, out)

    preprocessor.transform = note
    loader = BatchLoader(path, 4, [preprocessor], dtype="uint8")
    loader.batch(0, 0)
    loader.close()
    assert not any(writeable)


def test_the_result_is_written_where_it_is_wanted(rng):
    image, out = rng.integers(0, 256, (30, 20, 3), np.uint8), np.empty((10, 10, 3), np.uint8)
    preprocessor = AspectAwarePreprocessor(10, 10)
    assert preprocessor.preprocess(image, out) is out
    np.testing.assert_array_equal(out, preprocessor.preprocess(image))
