import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import MeanPreprocessor, NormalizePreprocessor

MEANS = {"R": 120.5, "G": 110.25, "B": 99.125}
DEVIATIONS = {"R": 58.5, "G": 57.25, "B": 56.0}
ONES = dict.fromkeys("RGB", 1.0)


def expected(image, color_order, data_order):
    """The definition, colour by colour, in float64."""
    channels = {color: image[..., place].astype(float) for place, color in enumerate(data_order)}
    return np.stack([(channels[color] - MEANS[color]) / DEVIATIONS[color] for color in color_order], axis=-1)


@pytest.mark.parametrize("data_order", ["BGR", "RGB"])
@pytest.mark.parametrize("color_order", ["BGR", "RGB"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int16"])
@pytest.mark.parametrize("shape", [(5, 7, 3), (1, 1, 3), (2, 5, 7, 3), (10, 1, 4, 3)])
def test_each_colour_loses_its_mean_and_is_divided_by_its_deviation(color_order, data_order, dtype, shape, rng):
    image = rng.integers(0, 256, shape).astype(dtype)
    result = NormalizePreprocessor(MEANS, DEVIATIONS, color_order, data_order).preprocess(image)
    assert (result.shape, result.dtype) == (shape, np.float32)
    np.testing.assert_allclose(result, expected(image, color_order, data_order), rtol=1e-5, atol=1e-5)


def test_without_deviations_it_is_the_mean_preprocessor(rng):
    image = rng.integers(0, 256, (6, 5, 3), np.uint8)
    ours = NormalizePreprocessor(MEANS, ONES, "BGR").preprocess(image)
    np.testing.assert_array_equal(ours, MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"]).preprocess(image))


def test_stacks_that_are_views_and_places_in_batches_are_fine(rng):
    stack = rng.integers(0, 256, (4, 6, 8, 3), np.uint8)[:, ::-1, 1:-1, ::-1]
    out = np.full((4, 6, 9, 3), 77, np.float32)
    NormalizePreprocessor(MEANS, DEVIATIONS, "RGB").preprocess(stack, out=out[:, :, :6])
    np.testing.assert_allclose(out[:, :, :6], expected(stack, "RGB", "BGR"), rtol=1e-5, atol=1e-5)
    assert (out[:, :, 6:] == 77).all()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (2, 5, 7, 1)])
def test_gray_images_are_scaled_as_gray_colours_on_average(shape):
    image = np.full(shape, 200, np.uint8)
    mean = 0.299 * MEANS["R"] + 0.587 * MEANS["G"] + 0.114 * MEANS["B"]
    deviation = 0.299 * DEVIATIONS["R"] + 0.587 * DEVIATIONS["G"] + 0.114 * DEVIATIONS["B"]
    result = NormalizePreprocessor(MEANS, DEVIATIONS, "RGB").preprocess(image)
    np.testing.assert_allclose(result, np.full(shape, (200 - mean) / deviation), rtol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7, 4), (5, 7, 2), (2, 5, 7, 4)])
def test_other_channels_have_no_means(shape):
    with pytest.raises(UserError, match=r"NormalizePreprocessor needs shape \(height, width, 3\).*received shape"):
        NormalizePreprocessor(MEANS, DEVIATIONS, "RGB").preprocess(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"R": 1.0, "G": 2.0}, ONES, "BGR"), r"means: must be finite numbers for R, G and B; received \{'R'"),
        ((MEANS, {**ONES, "G": 0.0}, "BGR"), "deviations: must be finite numbers above 0 for R, G and B; received"),
        (({**MEANS, "G": np.nan}, ONES, "BGR"), "means: must be finite numbers for R"),
        ((MEANS, (1, 1, 1), "BGR"), r"deviations: .* received \(1, 1, 1\)"),
        ((MEANS, ONES, "GBR"), 'color_order: must be "BGR" or "RGB"; received \'GBR\''),
        ((MEANS, ONES, "RGB", ""), 'data_order: must be "BGR" or "RGB"; received \'\''),
    ],
)
def test_arguments_that_break_a_rule_are_named(arguments, message):
    with pytest.raises(UserError, match=message):
        NormalizePreprocessor(*arguments)
