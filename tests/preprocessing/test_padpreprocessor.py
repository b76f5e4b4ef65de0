import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import AspectAwarePreprocessor, PadPreprocessor, SimplePreprocessor
from pyimagesearch.preprocessing.fitting import fit_of, fitting


@pytest.mark.parametrize(("shape", "rows", "columns"), [
    ((20, 40, 3), slice(5, 15), slice(0, 20)),
    ((40, 20), slice(0, 20), slice(5, 15)),
    ((5, 1, 1), slice(0, 20), slice(8, 12)),
])  # fmt: skip
def test_the_whole_image_lies_in_the_middle(rng, shape, rows, columns):
    image = rng.integers(1, 256, shape, np.uint8)
    padded = PadPreprocessor(20, 20, value=7).preprocess(image)
    assert padded.shape == (20, 20, *shape[2:])
    size = columns.stop - columns.start, rows.stop - rows.start
    expected = SimplePreprocessor(*size).preprocess(image)
    np.testing.assert_array_equal(padded[rows, columns], expected)
    padded[rows, columns] = 7
    assert (padded == 7).all()


def test_an_image_of_the_right_size_stays(rng):
    image = rng.integers(0, 256, (9, 12, 3), np.uint8)
    assert PadPreprocessor(12, 9).preprocess(image) is image


def test_extreme_shapes_keep_a_pixel():
    assert PadPreprocessor(8, 8, cv2.INTER_NEAREST).preprocess(np.ones((1, 500), np.uint8)).sum() == 8


@pytest.mark.parametrize(
    ("fit", "kind"), [("crop", AspectAwarePreprocessor), ("pad", PadPreprocessor), ("stretch", SimplePreprocessor)]
)
def test_each_way_is_known_by_the_history_of_its_files(fit, kind):
    assert type(fitting(fit, 8, 9)) is kind
    assert fit_of(f"{kind.__name__} to 9x8x3, JPEG quality 90; converted") == fit
    assert fit_of("features of a network") == fit_of("") == "crop"


def test_unknown_ways_are_refused():
    with pytest.raises(UserError, match="fit: must be one of crop, pad, stretch; received 'squeeze'"):
        fitting("squeeze", 8, 8)
