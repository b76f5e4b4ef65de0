import numpy as np
import pytest

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.io.foreign.axes import Axes, find_axes
from pyimagesearch.io.foreign.labels import read_labels
from tests.io.foreign.pictures import N, classes, pictures


@pytest.mark.parametrize(
    ("shape", "rows", "reverse", "letters"),
    [
        ((9, 32, 30, 3), 9, False, "nhwc"), ((9, 3, 32, 30), 9, False, "nchw"), ((9, 1, 32, 30), 9, False, "nchw"),
        ((9, 32, 30), 9, False, "nhw"), ((9, 50), 9, False, "nd"), ((32, 30, 3, 9), 9, False, "hwcn"),
        ((9, 3, 30, 32), 9, True, "ncwh"), ((9, 30, 32), 9, True, "nwh"), ((3, 30, 32, 9), 9, True, "cwhn"),
        ((50, 9), 9, True, "dn"), ((3, 32, 30, 3), 3, False, "nhwc"), ((9, 32, 30, 4), 9, False, "nhwc"),
    ],
)  # fmt: skip
def test_axes_follow_from_the_shape(shape, rows, reverse, letters):
    assert find_axes(shape, rows, reverse) == letters


@pytest.mark.parametrize(
    "shape", [(9, 3, 32, 3), (9, 1, 32, 3), (9, 16, 32, 30), (9, 32, 3), (9, 1, 784), (9, 2, 2, 2, 3)]
)
def test_ambiguous_shapes_ask(shape):
    with pytest.raises(UnrecognisedError, match=r"axes: shape \(9.* can be read in more than one way") as caught:
        find_axes(shape, 9, False)
    assert "axes" in caught.value.suggestion


def test_matlab_axes_ask_where_first_and_last_may_be_rows():
    with pytest.raises(UnrecognisedError, match="its first and its last axis may both be the rows"):
        find_axes((9, 30, 9), 9, True)


def test_interlace_mode_decides(make, read):
    images = pictures(height=3)
    planes = images.transpose(0, 3, 1, 2)
    said = {"INTERLACE_MODE": np.bytes_(b"INTERLACE_PLANE"), "CLASS": "IMAGE"}
    path = make({"X": planes, "y": classes()}, {"X": said})
    plan, rows = read(path)
    np.testing.assert_array_equal(rows, images)
    assert (plan.color_order, plan.color_source) == ("RGB", "file")


@pytest.mark.parametrize("letters", ["nhwc", "nchw", "ncwh", "hwcn", "cwhn", "chwn"])
@pytest.mark.parametrize("chunks", [None, True])
def test_every_order_of_axes_is_read_back(make, read, letters, chunks):
    stored = pictures().transpose(["nhwc".index(letter) for letter in letters])
    _, rows = read(make({"X": stored, "y": classes()}, chunks=chunks), axes=letters)
    np.testing.assert_array_equal(rows, pictures())
    assert rows.flags.c_contiguous


def test_channels_first_is_recognised_and_said(make, read):
    plan, rows = read(make({"X": pictures().transpose(0, 3, 1, 2), "y": classes()}))
    np.testing.assert_array_equal(rows, pictures())
    assert "channels first (n, c, h, w), transposed" in plan.in_words()["images"]


def test_gray_images_get_their_channel_and_stay_uint8(make, read):
    plan, rows = read(make({"X": pictures()[..., 0], "y": classes()}))
    np.testing.assert_array_equal(rows, pictures()[..., :1])
    assert rows.dtype == np.uint8
    assert "gray without an axis of channels" in plan.in_words()["images"]
    assert not plan.color_order


def test_flattened_rows_stay_as_they_are_unless_told(make, read):
    path = make({"X": pictures(height=32, width=32).reshape(N, -1), "y": classes()})
    plan, rows = read(path)
    assert (rows.shape, rows.dtype) == ((N, 3072), np.uint8)
    assert "shape='32x32x3' unfolds them" in plan.in_words()["remarks"]
    plan, rows = read(path, shape="32x32x3")
    np.testing.assert_array_equal(rows, pictures(height=32, width=32))
    with pytest.raises(UserError, match=r"shape: must multiply to the 3,072 values of a row of X .*received 9x9x3"):
        read(path, shape="9x9x3")


def test_flattened_rows_may_have_their_channels_first(make, read):
    flat = pictures().transpose(0, 3, 1, 2).reshape(N, -1)
    plan, rows = read(make({"X": flat, "y": classes()}), shape="3x8x6")
    np.testing.assert_array_equal(rows, pictures())
    assert "unfolded to 3x8x6, channels first" in plan.in_words()["images"]


def test_shape_is_for_flattened_rows_only(make, read):
    with pytest.raises(UserError, match="shape: is for flattened rows; received 8x6x3"):
        read(make({"X": pictures(), "y": classes()}), shape="8x6x3")
    with pytest.raises(UserError, match=r"axes: must name every axis of X \(20, 8, 6, 3\) uint8; received nhw"):
        read(make({"X": pictures(), "y": classes()}), axes="nhw")


def test_matlab_files_have_reversed_axes(make, read):
    """MATLAB's X(h, w, c, n) and y(n, 1) lie in the file as (n, c, w, h) and (1, n)."""
    reversed_images = pictures().transpose(0, 3, 2, 1)
    matlab = {"X": {"MATLAB_class": np.bytes_(b"uint8")}, "y": {"MATLAB_class": np.bytes_(b"double")}}
    plan, rows = read(make({"X": reversed_images, "y": classes()[None] + 1.0}, matlab))
    np.testing.assert_array_equal(rows, pictures())
    labels = read_labels(plan)
    np.testing.assert_array_equal(labels.numbers, classes())
    assert labels.remarks == ("labels count from 1 to 3; they become the classes 0 to 2",)


def test_axes_are_said_in_words():
    assert Axes("nhwc").in_words() == ""
    assert Axes("ncwh").in_words() == "axes stored as (n, c, w, h), transposed as they are read"
