import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.io.foreign.labels import read_labels, read_paths
from pyimagesearch.io.foreign.recognition import plan_file
from tests.io.foreign.pictures import N, classes, pictures

NAMES = ["cat", "dog", "eel"]


def by_class():
    return np.argsort(classes(), kind="stable")


def png(image):
    return cv2.imencode(".png", image)[1].ravel()


def test_a_group_for_each_class(make, read):
    path = make({f"{NAMES[c]}/{i}": image for i, (image, c) in enumerate(zip(pictures(), classes(), strict=True))})
    plan, rows = read(path)
    np.testing.assert_array_equal(rows, pictures()[by_class()])
    labels = read_labels(plan)
    np.testing.assert_array_equal(labels.numbers, classes()[by_class()])
    assert labels.names == NAMES
    assert read_paths(plan)[:4] == ["cat/0", "cat/3", "cat/6", "cat/9"]
    assert plan.in_words()["labels"] == "the names of the groups"


def test_groups_of_classes_in_groups_of_splits(make, read):
    images = {f"{split}/{NAMES[i % 2]}/{i}": pictures()[i] for split in ("train", "test") for i in range(6)}
    plan, rows = read(make(images))
    assert (plan.images, len(rows)) == ("train", 6)
    assert "the images in test are left out; images='test' takes them" in plan.in_words()["remarks"]
    assert read(make(images), images="test")[0].images == "test"


def test_a_label_for_each_image_as_attribute(make, read):
    images = {f"image{i}": image for i, image in enumerate(pictures())}
    path = make(images, {f"image{i}": {"label": NAMES[c]} for i, c in enumerate(classes())})
    plan, rows = read(path)
    np.testing.assert_array_equal(rows, pictures())
    labels = read_labels(plan)
    assert labels.names == NAMES
    np.testing.assert_array_equal(labels.numbers, classes())


def test_numbered_images_beside_their_labels(make, read):
    plan, rows = read(make({**{f"pics/{i}": image for i, image in enumerate(pictures())}, "labels": classes()}))
    np.testing.assert_array_equal(rows, pictures())
    np.testing.assert_array_equal(read_labels(plan).numbers, classes())


def test_a_group_that_is_told(make, read):
    path = make({**{f"pics/{i}": image for i, image in enumerate(pictures())}, "ans": classes(), "labels": classes(3)})
    _, rows = read(path, images="pics", labels="ans")
    np.testing.assert_array_equal(rows, pictures())
    with pytest.raises(UserError, match=r"labels: must be one for each of the 20 rows; received labels \(3,\)"):
        read(path, images="pics", labels="labels")


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_group_for_each_image_and_its_label(make, read, shape):
    datasets = {f"{i}/image": image for i, image in enumerate(pictures())}
    datasets |= {f"{i}/label": np.full(shape, c) for i, c in enumerate(classes())}
    plan, rows = read(make(datasets))
    np.testing.assert_array_equal(rows, pictures())
    np.testing.assert_array_equal(read_labels(plan).numbers, classes())


def test_images_of_several_sizes_ask_for_one(make, read):
    path = make({"a/0": pictures()[0], "a/1": pictures()[1][:4], "b/0": pictures()[2]})
    with pytest.raises(UnrecognisedError, match=r"size: images must have one height .* from 4x6 to 8x6") as caught:
        plan_file(path)
    assert caught.value.suggestion == {"size": "256x256"}
    plan, rows = read(path, size="8x6")
    np.testing.assert_array_equal(rows[0], pictures()[0])
    assert "resized as told" in plan.in_words()["images"]


def test_gray_images_among_others_get_three_channels(make, read):
    plan, rows = read(make({"a/0": pictures()[0], "b/0": pictures()[1][..., 0]}))
    np.testing.assert_array_equal(rows[1], pictures()[1][..., :1].repeat(3, axis=2))
    assert "gray images get three equal channels" in plan.in_words()["remarks"]


@pytest.mark.parametrize("dtype", [h5py.vlen_dtype(np.uint8), np.dtype("S400"), np.dtype("V400")])
def test_image_files_as_bytes(make, read, dtype):
    path = make({"label": classes()})
    with h5py.File(path, "a") as file:
        images = file.create_dataset("image", (N,), dtype)
        for i, image in enumerate(pictures()):
            images[i] = png(image) if dtype.kind == "O" else np.array(png(image).tobytes(), dtype)
    plan, rows = read(path)
    np.testing.assert_array_equal(rows, pictures())
    assert plan.in_words()["color order"] == "BGR, as OpenCV decodes image files"
    assert read(path, size="4x3")[1].shape == (N, 4, 3, 3)


def test_the_bytes_of_each_image_in_a_group_for_each_class(make, read):
    datasets = {f"{NAMES[c]}/{i}": png(image) for i, (image, c) in enumerate(zip(pictures(), classes(), strict=True))}
    _, rows = read(make(datasets))
    np.testing.assert_array_equal(rows, pictures()[by_class()])


def test_bytes_that_are_no_whole_image_are_refused_by_their_row(make, read):
    whole = cv2.imencode(".jpg", pictures()[0])[1].tobytes()
    for bad, what in [(b"", "empty"), (whole[:-20], "truncated"), (b"\x89PNGxxxxx", "no image")]:
        path = make({"label": [0, 1]})
        with h5py.File(path, "a") as file:
            images = file.create_dataset("image", (2,), h5py.vlen_dtype(np.uint8))
            images[0], images[1] = np.frombuffer(whole, np.uint8), np.frombuffer(bad, np.uint8)
        with pytest.raises(UserError, match=f"row 1 of .* cannot be read: .*{what}"):
            read(path)


def test_image_files_of_another_size_are_refused_by_their_row(make, read):
    path = make({"label": [0, 1]})
    with h5py.File(path, "a") as file:
        images = file.create_dataset("image", (2,), h5py.vlen_dtype(np.uint8))
        images[0], images[1] = png(pictures()[0]), png(pictures()[1][:4])
    with pytest.raises(UserError, match="must have one size; row 1 is 4x6, the first 8x6; pass size="):
        read(path)


def test_two_stacks_in_groups_are_no_classes(make):
    stacks = {"cells": np.zeros((9, 16, 16), np.uint8), "masks": np.zeros((9, 16, 16), np.uint8)}
    with pytest.raises(UnrecognisedError, match="must be told by images and labels"):
        plan_file(make({f"{group}/{name}": stack for group in "ab" for name, stack in stacks.items()}))
