"""The contract that all preprocessors keep, on every kind of image."""

import inspect
import itertools
import pickle

import numpy as np
import pytest

from pyimagesearch import preprocessing
from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.batching.randomness import DrawnNumbers, uniforms

HEIGHT, WIDTH = 12, 17

AUGMENTATION = {
    "rotation_range": 20,
    "width_shift_range": 0.1,
    "height_shift_range": 2,
    "shear_range": 5,
    "zoom_range": 0.2,
    "horizontal_flip": True,
    "vertical_flip": True,
    "brightness_range": (0.6, 1.5),
    "channel_shift_range": 20,
}


def window(shape, dtype):
    return (7, 9, *shape[2:]), dtype


def unchanged(shape, dtype):
    return shape, dtype


def with_channels_last(shape, dtype):
    return (*shape[:2], *(shape[2:] or (1,))), dtype


def with_channels_first(shape, dtype):
    return (*(shape[2:] or (1,)), *shape[:2]), dtype


def normalization(color_order, means, deviations):
    means, deviations = (dict(zip("RGB", np.multiply(255, v).tolist(), strict=True)) for v in (means, deviations))
    return {"means": means, "deviations": deviations, "color_order": color_order}


# name -> [(arguments, documented shape and dtype of the result)]
EXAMPLES = {
    "AspectAwarePreprocessor": [({"width": 9, "height": 7}, window)],
    "AugmentPreprocessor": [
        (AUGMENTATION, unchanged),
        ({"horizontal_flip": True, "vertical_flip": True}, unchanged),
        ({"brightness_range": (0.5, 2)}, unchanged),
        ({"rotation_range": 30, "fill_mode": "constant", "cval": 7}, unchanged),
    ],
    "CropPreprocessor": [
        ({"width": 9, "height": 7}, lambda shape, dtype: ((10, 7, 9, *shape[2:]), dtype)),
        ({"width": 9, "height": 7, "horiz": False}, lambda shape, dtype: ((5, 7, 9, *shape[2:]), dtype)),
    ],
    "ImageToArrayPreprocessor": [
        ({"data_format": "channels_last"}, with_channels_last),
        ({"data_format": "channels_first"}, with_channels_first),
    ],
    "MeanPreprocessor": [
        ({"r_mean": 120.5, "g_mean": 110.25, "b_mean": 99.1}, lambda shape, dtype: (shape, np.float32))
    ],
    "NormalizePreprocessor": [
        (normalization("RGB", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), lambda shape, dtype: (shape, np.float32)),
        (normalization("RGB", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), lambda shape, dtype: (shape, np.float32)),
        (normalization("BGR", (0.4, 0.5, 0.6), (1, 1, 1)), lambda shape, dtype: (shape, np.float32)),
    ],
    "PadPreprocessor": [({"width": 9, "height": 7}, window)],
    "PatchPreprocessor": [({"width": 9, "height": 7}, window)],
    "SimplePreprocessor": [
        ({"width": 9, "height": 7}, window),
        ({"width": WIDTH, "height": HEIGHT}, unchanged),
    ],
}
SHAPES = {"color": (HEIGHT, WIDTH, 3), "gray": (HEIGHT, WIDTH), "gray with an axis": (HEIGHT, WIDTH, 1)}


def read_only(image):
    image.flags.writeable = False
    return image


LAYOUTS = {
    "plain": lambda image: image,
    "read-only": read_only,
    "upside down view": lambda image: image[::-1].copy()[::-1],
    "mirrored view": lambda image: image[:, ::-1].copy()[:, ::-1],
    "every other pixel of a larger image": lambda image: image.repeat(2, 0).repeat(2, 1)[::2, ::2],
    "column-major": np.asfortranarray,
}


def run(preprocessor, image, seed=5, **keywords):
    if "rng" in inspect.signature(preprocessor.preprocess).parameters:
        keywords["rng"] = np.random.default_rng(seed)
    return preprocessor.preprocess(image, **keywords)


ALL = [
    pytest.param(name, arguments, documented, id=f"{name}-{number}")
    for name, examples in EXAMPLES.items()
    for number, (arguments, documented) in enumerate(examples)
]
WRITES_OUT = [
    example
    for example in ALL
    if "out" in inspect.signature(getattr(preprocessing, example.values[0]).preprocess).parameters
]


@pytest.fixture(params=itertools.product(SHAPES, ["uint8", "float32"]), ids="-".join)
def images(request):
    """The same image in every memory layout."""
    channels, dtype = request.param
    pixels = np.random.default_rng(3).integers(0, 256, SHAPES[channels]).astype(dtype)
    return {layout: arrange(pixels.copy()) for layout, arrange in LAYOUTS.items()}


def test_the_contract_covers_every_exported_preprocessor():
    assert sorted(EXAMPLES) == sorted(preprocessing.__all__)


@pytest.mark.parametrize(("name", "arguments", "documented"), ALL)
class TestContract:
    def test_shape_and_dtype_are_as_documented(self, name, arguments, documented, images):
        preprocessor = getattr(preprocessing, name)(**arguments)
        for (layout, image), seed in itertools.product(images.items(), range(4)):
            result = run(preprocessor, image, seed)
            assert (result.shape, result.dtype) == documented(image.shape, image.dtype), layout

    def test_the_input_is_never_modified(self, name, arguments, documented, images):
        preprocessor = getattr(preprocessing, name)(**arguments)
        for (layout, image), seed in itertools.product(images.items(), range(4)):
            before = image.copy()
            run(preprocessor, image, seed)
            np.testing.assert_array_equal(image, before, layout)

    def test_equal_random_numbers_give_equal_results(self, name, arguments, documented, images):
        first, second = (getattr(preprocessing, name)(**arguments) for _ in range(2))
        run(second, images["plain"], seed=99)  # what came before does not matter
        for seed in range(4):
            results = [run(preprocessor, images["plain"], seed) for preprocessor in (first, second)]
            np.testing.assert_array_equal(*results)

    def test_the_memory_layout_does_not_matter(self, name, arguments, documented, images):
        preprocessor = getattr(preprocessing, name)(**arguments)
        for (layout, image), seed in itertools.product(images.items(), range(4)):
            expected = run(preprocessor, images["plain"], seed)
            np.testing.assert_array_equal(run(preprocessor, image, seed), expected, layout)


@pytest.mark.parametrize(("name", "arguments", "documented"), WRITES_OUT)
class TestOut:
    def test_out_gives_the_same_numbers(self, name, arguments, documented, images):
        preprocessor = getattr(preprocessing, name)(**arguments)
        for (layout, image), seed in itertools.product(images.items(), range(4)):
            expected = run(preprocessor, image, seed)
            out = np.full(expected.shape, 77, expected.dtype)
            np.testing.assert_array_equal(run(preprocessor, image, seed, out=out), expected, layout)

    def test_out_may_be_a_place_in_a_batch(self, name, arguments, documented, images):
        preprocessor = getattr(preprocessing, name)(**arguments)
        expected = run(preprocessor, images["plain"])
        batch = np.full((3, *expected.shape), 77, expected.dtype)
        np.testing.assert_array_equal(run(preprocessor, images["plain"], out=batch[1]), expected)
        assert (batch[[0, 2]] == 77).all()


@pytest.mark.parametrize(("name", "arguments", "documented"), ALL)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", SHAPES)
def test_a_batch_holds_what_calling_by_hand_gives(name, arguments, documented, channels, dtype, write_dataset, rng):
    preprocessor = getattr(preprocessing, name)(**arguments)
    images = rng.integers(0, 256, (5, *SHAPES[channels])).astype(dtype)
    loader = BatchLoader(write_dataset(images, data_key="images"), 2, [preprocessor], seed=8, threads=2)
    rows = np.array([3, 0, 4])
    batch = loader.images(6, rows)
    loader.close()
    draws = getattr(preprocessor, "draws", 0)
    for place, row in enumerate(rows):
        numbers = DrawnNumbers(uniforms(8, 6, rows[place : place + 1], draws)[0].tolist())
        keywords = {"rng": numbers} if draws else {}
        by_hand = preprocessor.preprocess(images[row], **keywords).astype(np.float32)
        np.testing.assert_array_equal(batch[place], by_hand)


@pytest.mark.parametrize(("name", "arguments", "documented"), ALL)
def test_a_preprocessor_pickles(name, arguments, documented):
    preprocessor = getattr(preprocessing, name)(**arguments)
    image = np.random.default_rng(3).integers(0, 256, SHAPES["color"], np.uint8)
    copy = pickle.loads(pickle.dumps(preprocessor))
    np.testing.assert_array_equal(run(copy, image), run(preprocessor, image))


@pytest.mark.parametrize(
    ("image", "received"),
    [
        (None, "received NoneType"),
        ("cat.0.jpg", "received str"),
        (np.zeros(5, np.uint8), r"received shape \(5,\)"),
        (np.zeros((0, 5, 2), np.uint8), r"received shape \(0, 5, 2\)"),
    ],
    ids=["None", "a path", "a line", "nothing"],
)
@pytest.mark.parametrize("name", preprocessing.__all__)
def test_what_is_no_image_is_named(name, image, received):
    preprocessor = getattr(preprocessing, name)(**EXAMPLES[name][0][0])
    with pytest.raises(UserError, match=rf"image: {name} needs .*{received}"):
        run(preprocessor, image)
