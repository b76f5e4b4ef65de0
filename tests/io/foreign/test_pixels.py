import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.io.foreign.pixels import said_order
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.foreign.rows import PlannedRows
from tests.io.foreign.pictures import N, classes, pictures


@pytest.mark.parametrize(
    ("attributes", "order"),
    [
        ({"color_order": "bgr"}, "BGR"), ({"Channel_Order": "RGB"}, "RGB"), ({"COLORSPACE": "rgb "}, "RGB"),
        ({"mode": "R,G,B"}, "RGB"), ({"pixel format": "BGRA"}, "BGR"), ({"CLASS": "IMAGE"}, "RGB"),
        ({"IMAGE_SUBCLASS": "IMAGE_TRUECOLOR"}, "RGB"), ({"mode": 3}, ""), ({"comment": "RGB"}, ""),
    ],
)  # fmt: skip
def test_attributes_say_the_order(attributes, order):
    assert said_order([attributes]) == order


def test_the_dataset_speaks_before_its_groups():
    assert said_order([{}, {"color_order": "BGR"}, {"color_order": "RGB"}]) == "BGR"


@pytest.mark.parametrize(
    "value", [b"RGB", np.bytes_(b"rgb"), "RGB", np.array([b"RGB"]), np.array("RGB", h5py.string_dtype())]
)
def test_any_type_of_string_is_understood(make, read, value):
    plan, _ = read(make({"X": pictures(), "y": classes()}, {"/": {"color_order": value}}))
    assert (plan.color_order, plan.color_source) == ("RGB", "file")
    assert plan.in_words()["color order"] == "RGB, as the file says"


def test_what_is_told_wins_and_a_contradiction_is_said(make, read):
    path = make({"X": pictures(), "y": classes()}, {"X": {"color_order": "BGR"}})
    plan, _ = read(path, color_order="RGB")
    assert (plan.color_order, plan.color_source) == ("RGB", "told")
    assert "the file says BGR, and RGB is used as told" in plan.in_words()["remarks"]


def test_rgb_is_assumed_and_said_loudly(make, read):
    plan, _ = read(make({"images": pictures(), "labels": classes()}))
    assert (plan.color_order, plan.color_source) == ("RGB", "assumed")
    assert plan.in_words()["color order"].startswith("RGB, ASSUMED, the file does not say; if red and blue")


def test_whole_floats_under_the_names_of_the_book_are_bgr(make, read):
    plan, _ = read(make({"images": pictures().astype(float), "labels": classes()}))
    assert (plan.color_order, plan.color_source) == ("BGR", "book")


def test_scaled_floats_are_not_of_the_book(make, read):
    plan, _ = read(make({"images": pictures() / 255, "labels": classes()}), scale="0..1")
    assert (plan.color_order, plan.color_source) == ("RGB", "assumed")


@pytest.mark.parametrize(
    ("attributes", "match"),
    [({"color_space": "HSV"}, "the file says HSV; convert them"), ({"IMAGE_SUBCLASS": "IMAGE_INDEXED"}, "palette")],
)
def test_other_colors_are_refused(make, read, attributes, match):
    with pytest.raises(UserError, match=match):
        read(make({"X": pictures(), "y": classes()}, {"X": attributes}))


def test_a_fourth_channel_is_kept_and_said(make, read):
    plan, rows = read(make({"X": pictures(channels=4), "y": classes()}))
    assert rows.shape[3] == 4
    assert "four channels; the fourth, often alpha, is kept" in plan.in_words()["remarks"]


def test_whole_floats_become_uint8(make, read):
    plan, rows = read(make({"X": pictures().astype(np.float32), "y": classes()}))
    np.testing.assert_array_equal(rows, pictures())
    assert rows.dtype == np.uint8
    assert plan.in_words()["values"] == "float32 that holds whole numbers of 0..255, which become uint8"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
def test_floats_in_0_to_1_ask_and_come_back_exactly(make, read, dtype):
    path = make({"X": (pictures() / 255).astype(dtype), "y": classes()})
    with pytest.raises(UnrecognisedError, match=r'looked at are .* from 0 to 1; "0\.\.1" maps') as caught:
        plan_file(path)
    assert caught.value.suggestion == {"scale": "0..1"}
    _, rows = read(path, scale="0..1")
    np.testing.assert_array_equal(rows, pictures())


def test_a_description_does_not_ask(make):
    plan = plan_file(make({"X": pictures() / 255, "y": classes()}), ask=False)
    assert plan.rule is None
    assert '"0..1" maps that range' in plan.in_words()["remarks"]
    assert plan.in_words()["values"] == "float64; scale must be told"


def test_uint16_converts_by_scale_or_is_kept(make, read):
    deep = pictures().astype(np.uint16) * 257
    path = make({"X": deep, "y": classes()})
    with pytest.raises(UnrecognisedError, match=r'uint16 from 0 to 65535; "0\.\.65535" maps'):
        plan_file(path)
    np.testing.assert_array_equal(read(path, scale="0..65535")[1], pictures())
    plan, rows = read(path, scale="keep")
    np.testing.assert_array_equal(rows, deep)
    assert rows.dtype == np.uint16
    assert plan.in_words()["values"] == "kept as uint16, as told"


def test_small_uint16_become_uint8(make, read):
    _, rows = read(make({"X": pictures().astype(np.uint16), "y": classes()}))
    assert rows.dtype == np.uint8


def test_values_after_a_mean_are_kept(make, read):
    centred = pictures() - 120.5
    plan, rows = read(make({"X": centred, "y": classes()}))
    np.testing.assert_array_equal(rows, centred)
    assert rows.dtype == np.float32
    words = plan.in_words()["values"]
    assert words.startswith("kept as float32, values from -120.5 to 134.5, as after the subtraction of a mean")
    assert words.endswith("float64 has digits that float32 loses")


def test_booleans_become_black_and_white(make, read):
    plan, rows = read(make({"X": pictures() > 127, "y": classes()}))
    np.testing.assert_array_equal(rows, np.where(pictures() > 127, 255, 0))
    assert plan.in_words()["values"] == "false and true become 0 and 255"


def test_what_rounding_loses_is_said(make):
    path = make({"X": np.random.default_rng(0).random((N, 8, 6, 3)), "y": classes()})
    with PlannedRows(plan_file(path, Choices(scale="0..1"))) as rows:
        assert rows.losses() == ""
        list(rows.blocks())
        assert rows.losses().startswith("values between the 256 steps of 8 bits were rounded, by up to 0.50")


def test_a_value_that_breaks_the_rule_is_named_by_its_row(make):
    for scale, value, match in [
        ("0..1", 1.5, r"values must be in 0\.\.1, as scale says; row 300 has 1\.5"),
        ("0..1", np.nan, r"row 300 has nan"),
        ("keep", np.inf, r"values must be finite numbers.*; row 300 has inf"),
    ]:
        images = np.zeros((1000, 4, 4, 3))
        images[300, 1, 2, 0] = value
        plan = plan_file(make({"X": images, "y": classes(1000)}), Choices(scale=scale))
        with PlannedRows(plan) as rows, pytest.raises(UserError, match=match):
            list(rows.blocks())
    images[300, 1, 2, 0], images[0] = 0.5, 7
    with (
        PlannedRows(plan_file(make({"X": images, "y": classes(1000)}))) as rows,
        pytest.raises(UserError, match=r"whole numbers in 0\.\.255; pass scale=.*; row 300 has 0\.5"),
    ):
        list(rows.blocks())


def test_values_that_are_no_numbers_are_refused_at_once(make):
    images = np.zeros((N, 4, 4, 3))
    images[3] = np.nan
    with pytest.raises(UserError, match="values must be finite numbers; row 3 has others"):
        plan_file(make({"X": images, "y": classes()}))


def test_a_scale_is_for_images(make):
    with pytest.raises(UserError, match=r"scale, color_order: are for images; rows of features .* are vectors"):
        plan_file(make({"features": np.ones((N, 9)), "labels": classes()}), Choices(scale="0..1"))
