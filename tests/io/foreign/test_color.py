import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.color import said_order
from tests.io.foreign.pictures import classes, pictures


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
    assert plan.in_words()["color order"].startswith("RGB, ASSUMED, the file does not say; color_order tells")


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
