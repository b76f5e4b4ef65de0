import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import AugmentPreprocessor
from pyimagesearch.preprocessing.affine import Transform

ROUNDING = 0.5  # grey levels that two ways to interpolate may differ by, in the mean

# fill_mode -> how scipy spells it; its own "constant" and "wrap" treat the last half pixel differently
SCIPY_MODES = {
    "nearest": "nearest",
    "constant": "grid-constant",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}


def smooth_image(height, width, dtype="float32"):
    """An image without sharp edges, also where it is continued periodically."""
    rows, columns = np.mgrid[:height, :width]
    waves = [
        128 + 90 * np.sin(2 * np.pi * rows / height + k) * np.cos(2 * np.pi * columns / width - k) for k in range(3)
    ]
    return np.stack(waves, axis=-1).astype(dtype)


def random_transforms(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield Transform(
            theta=rng.uniform(-60, 60),
            tx=rng.uniform(-15, 15),
            ty=rng.uniform(-15, 15),
            shear=rng.uniform(-25, 25),
            zx=rng.uniform(0.6, 1.5),
            zy=rng.uniform(0.6, 1.5),
        )


def composed(transform, height, width):
    """The documented map from the result's (row, column, 1) to the source's, as a 3x3 matrix."""
    theta, shear = np.deg2rad(transform.theta), np.deg2rad(transform.shear)
    rotation = [[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]]
    shift = [[1, 0, transform.tx], [0, 1, transform.ty], [0, 0, 1]]
    shearing = [[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]]
    zoom = [[transform.zx, 0, 0], [0, transform.zy, 0], [0, 0, 1]]
    centre = np.eye(3)
    centre[:2, 2] = (height - 1) / 2, (width - 1) / 2
    return centre @ rotation @ shift @ shearing @ zoom @ np.linalg.inv(centre)


def warped_by_scipy(image, transform, mode, cval=0):
    from scipy.ndimage import affine_transform

    matrix = composed(transform, *image.shape[:2])
    channels = [
        affine_transform(image[..., c], matrix[:2, :2], matrix[:2, 2], order=1, mode=mode, cval=cval)
        for c in range(image.shape[-1])
    ]
    return np.stack(channels, axis=-1)


class TestGeometry:
    @pytest.mark.filterwarnings("ignore:Please import .affine_transform.:DeprecationWarning")
    @pytest.mark.parametrize("fill_mode", ["nearest", "reflect"])
    def test_a_transform_is_that_of_the_old_image_data_generator(self, fill_mode):
        legacy = pytest.importorskip("keras.src.legacy.preprocessing.image")
        image = smooth_image(64, 64)
        augment = AugmentPreprocessor(fill_mode=fill_mode)
        for transform in random_transforms(30, seed=1):
            # With rows and columns named the other way round, today's function is that of the book's time.
            expected = legacy.apply_affine_transform(
                image,
                *transform[:6],
                row_axis=1,
                col_axis=0,
                channel_axis=2,
                fill_mode=fill_mode,
            )
            assert abs(augment.apply(image, transform) - expected).mean() < ROUNDING, transform

    @pytest.mark.parametrize("fill_mode", SCIPY_MODES)
    @pytest.mark.parametrize("size", [(61, 74), (80, 40)])
    def test_a_transform_is_composed_about_the_centre_of_any_image(self, size, fill_mode):
        image = smooth_image(*size)
        augment = AugmentPreprocessor(fill_mode=fill_mode, cval=100)
        for transform in random_transforms(30, seed=2):
            expected = warped_by_scipy(image, transform, SCIPY_MODES[fill_mode], cval=100)
            assert abs(augment.apply(image, transform) - expected).mean() < ROUNDING, transform

    def test_8_bit_pixels_are_warped_alike(self):
        image = smooth_image(50, 40, "uint8")
        for transform in random_transforms(30, seed=3):
            expected = warped_by_scipy(image.astype(np.float32), transform, "nearest")
            result = AugmentPreprocessor().apply(image, transform)
            assert abs(result - expected).mean() < ROUNDING, transform

    @pytest.mark.parametrize("dtype", ["uint8", "float32"])
    @pytest.mark.parametrize(
        ("flips", "expected"),
        [
            ({"flip_horizontal": True}, np.fliplr),
            ({"flip_vertical": True}, np.flipud),
            ({"flip_horizontal": True, "flip_vertical": True}, lambda image: np.rot90(image, 2)),
        ],
        ids=["horizontal", "vertical", "both"],
    )
    def test_flips_are_exact_and_come_after_the_warp(self, flips, expected, dtype, rng):
        image = rng.integers(0, 256, (9, 14, 3)).astype(dtype)
        augment = AugmentPreprocessor()
        np.testing.assert_array_equal(augment.apply(image, Transform(**flips)), expected(image))
        shift = Transform(tx=2.0, ty=-3.0)
        np.testing.assert_allclose(
            augment.apply(image, shift._replace(**flips)), expected(augment.apply(image, shift)), atol=1e-3
        )

    @pytest.mark.parametrize(
        ("transform", "place"),
        [(Transform(tx=2.0), (3, 6)), (Transform(ty=2.0), (5, 4)), (Transform(theta=180.0), (3, 6))],
        ids=["rows", "columns", "half a turn"],
    )
    def test_pixels_move_where_the_parameters_say(self, transform, place):
        image = np.zeros((9, 13), np.float32)
        image[5, 6] = 1
        result = AugmentPreprocessor(fill_mode="constant").apply(image, transform)
        assert np.unravel_index(result.argmax(), result.shape) == place
        assert result.max() == pytest.approx(1, abs=1e-3)

    @pytest.mark.parametrize(("zoom", "size"), [(0.5, 6), (2.0, 2)])
    def test_a_zoom_below_1_makes_the_content_grow(self, zoom, size):
        image = np.zeros((20, 20), np.float32)
        image[8:12, 8:12] = 1
        result = AugmentPreprocessor(fill_mode="constant").apply(image, Transform(zx=zoom, zy=1.0))
        assert result[:, 9].sum() == pytest.approx(4 / zoom, abs=0.3)
        assert result[10].sum() == pytest.approx(4, abs=0.3)

    @pytest.mark.parametrize("shape", [(8, 9, 3), (8, 9, 1), (8, 9)])
    def test_beyond_the_border_lies_cval(self, shape):
        image = np.full(shape, 200, np.uint8)
        result = AugmentPreprocessor(fill_mode="constant", cval=31).apply(image, Transform(tx=4.0))
        assert (result[:4] == 200).all()
        assert (result[4:] == 31).all()


class TestColour:
    def test_8_bit_pixels_are_rounded_and_clipped(self):
        image = np.array([[0, 3, 100, 150, 255]], np.uint8)
        result = AugmentPreprocessor().apply(image, Transform(brightness=1.5, channel_shift=20.0))
        np.testing.assert_array_equal(result, [[20, 24, 170, 245, 255]])
        result = AugmentPreprocessor().apply(image, Transform(brightness=0.5, channel_shift=-60.0))
        np.testing.assert_array_equal(result, [[0, 0, 0, 15, 68]])

    def test_float_pixels_are_not_clipped(self):
        image = np.array([[-10, 0, 250]], np.float32)
        result = AugmentPreprocessor().apply(image, Transform(brightness=2.0, channel_shift=-5.0))
        np.testing.assert_allclose(result, [[-25, -5, 495]])

    def test_colour_changes_after_the_geometry(self):
        image = np.full((6, 6, 3), 100, np.uint8)
        transform = Transform(tx=3.0, brightness=2.0)
        result = AugmentPreprocessor(fill_mode="constant", cval=10).apply(image, transform)
        assert (result[0] == 200).all()
        assert (result[-1] == 20).all()


class TestDraw:
    RANGES = {
        "rotation_range": 25,
        "width_shift_range": 0.25,
        "height_shift_range": 3,
        "shear_range": 8,
        "zoom_range": (0.7, 1.1),
        "brightness_range": (0.4, 1.2),
        "channel_shift_range": 12,
    }
    LIMITS = {
        "theta": (-25, 25),
        "tx": (-3, 3),
        "ty": (-20, 20),
        "shear": (-8, 8),
        "zx": (0.7, 1.1),
        "zy": (0.7, 1.1),
        "brightness": (0.4, 1.2),
        "channel_shift": (-12, 12),
    }

    @pytest.fixture
    def drawn(self, rng):
        augment = AugmentPreprocessor(**self.RANGES, horizontal_flip=True, vertical_flip=True)
        return [augment.draw(height=40, width=80, rng=rng) for _ in range(3000)]

    @pytest.mark.parametrize("name", LIMITS)
    def test_parameters_fill_their_range_and_never_leave_it(self, drawn, name):
        low, high = self.LIMITS[name]
        values = np.array([getattr(transform, name) for transform in drawn])
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.03 * (high - low))

    @pytest.mark.parametrize("name", ["flip_horizontal", "flip_vertical"])
    def test_every_other_image_is_flipped(self, drawn, name):
        assert np.mean([getattr(transform, name) for transform in drawn]) == pytest.approx(0.5, abs=0.05)

    def test_parameters_are_independent_of_one_another(self, drawn):
        correlation = np.corrcoef(np.array(drawn, float).T) - np.eye(len(Transform()))
        assert abs(correlation).max() < 0.1

    def test_a_zoom_fraction_goes_both_ways(self, rng):
        augment = AugmentPreprocessor(zoom_range=0.2)
        values = [augment.draw(10, 10, rng).zx for _ in range(1000)]
        assert min(values) == pytest.approx(0.8, abs=0.01)
        assert max(values) == pytest.approx(1.2, abs=0.01)

    @pytest.mark.parametrize("name", RANGES)
    def test_a_range_leaves_the_other_parameters_alone(self, name):
        alone = AugmentPreprocessor(**{name: self.RANGES[name]})
        together = AugmentPreprocessor(**self.RANGES)
        first, second = (a.draw(40, 80, np.random.default_rng(4)) for a in (alone, together))
        changed = [f for f in Transform._fields if getattr(first, f) != getattr(Transform(), f)]
        assert changed
        assert all(getattr(first, f) == getattr(second, f) for f in changed)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_without_ranges_images_stay_as_they_are(dtype, rng):
    image = rng.integers(0, 256, (9, 14, 3)).astype(dtype)
    for _ in range(20):
        np.testing.assert_array_equal(AugmentPreprocessor().preprocess(image, rng), image)


def test_width_shifts_move_pixels_sideways_only(rng):
    image = np.zeros((20, 20), np.float32)
    image[10] = 1
    augment = AugmentPreprocessor(width_shift_range=0.4)
    for _ in range(20):
        np.testing.assert_allclose(augment.preprocess(image, rng), image, atol=1e-3)


def test_without_a_generator_the_images_differ(rng):
    image = rng.integers(0, 256, (20, 20, 3), np.uint8)
    augment = AugmentPreprocessor(rotation_range=90)
    assert len({augment.preprocess(image).tobytes() for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("argument", "wrong", "rule"),
    [
        *(
            (name, wrong, "must be a number, at least 0")
            for name in (
                "rotation_range",
                "width_shift_range",
                "height_shift_range",
                "shear_range",
                "channel_shift_range",
            )
            for wrong in (-1, float("nan"), float("inf"), (1, 2))
        ),
        ("zoom_range", 1, r"must be a fraction in \[0, 1\) or a pair"),
        ("zoom_range", -0.1, r"must be a fraction in \[0, 1\) or a pair"),
        ("zoom_range", (1.2, 0.8), r"must be a pair \(lowest, highest\)"),
        ("zoom_range", (0, 1), r"must be a pair \(lowest, highest\)"),
        ("zoom_range", (1, 2, 3), r"must be a pair \(lowest, highest\)"),
        ("brightness_range", (-0.1, 1), r"must be a pair \(lowest, highest\)"),
        ("brightness_range", (1.5, 0.5), r"must be a pair \(lowest, highest\)"),
        ("brightness_range", 0.2, r"must be a pair \(lowest, highest\)"),
        ("fill_mode", "mirror", "must be one of nearest, constant, reflect, wrap"),
    ],
)
def test_a_wrong_argument_is_named_with_its_rule(argument, wrong, rule):
    with pytest.raises(UserError, match=f"{argument}: {rule}.*; received"):
        AugmentPreprocessor(**{argument: wrong})
