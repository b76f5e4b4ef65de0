import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.io.foreign.labels import read_labels
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from tests.io.foreign.pictures import N, classes, pictures


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("X", "y"), ("x_train", "y_train"), ("X_test", "Y_test"), ("trainX", "trainY"), ("Xtrain", "ytrain"),
        ("data", "label"), ("data", "labels"), ("image", "label"), ("image", "labels"), ("images", "labels"),
        ("train_set_x", "train_set_y"), ("train/data", "train/target"), ("images/train", "labels/train"),
        ("train_images", "train_labels"), ("mine/x", "mine/y"), ("train_img", "train_labels"),
    ],
)  # fmt: skip
def test_plain_names_need_no_options(make, read, images, labels):
    plan, rows = read(make({images: pictures(), labels: classes()}))
    assert (plan.images, plan.labels.path) == (images, labels)
    np.testing.assert_array_equal(rows, pictures())
    np.testing.assert_array_equal(read_labels(plan).numbers, classes())


def test_features_with_labels_are_vectors(make, read):
    vectors = np.random.default_rng(0).normal(size=(N, 10))
    plan, rows = read(make({"features": vectors, "labels": classes()}))
    assert not plan.is_images
    np.testing.assert_array_equal(rows, vectors)


def test_names_and_paths_are_found_beside_them(make):
    names, paths = [b"cat", b"dog", b"eel"], [f"a/{i}.jpg" for i in range(N)]
    plan = plan_file(
        make({"train_set_x": pictures(), "train_set_y": classes(), "list_classes": names, "filenames": paths})
    )
    assert (plan.names, plan.paths) == ("list_classes", "filenames")


def test_classes_may_be_the_labels_or_their_names(make):
    path = make({"images": pictures(), "labels": classes(), "classes": [b"a", b"b", b"c"]})
    assert plan_file(path).names == "classes"
    assert plan_file(make({"images": pictures(), "classes": classes()})).labels.path == "classes"


def test_of_several_splits_train_is_taken_and_the_others_are_named(make):
    plan = plan_file(
        make({"x_train": pictures(), "y_train": classes(), "x_test": pictures()[:5], "y_test": classes()[:5]})
    )
    assert plan.images == "x_train"
    assert "x_test and y_test (test) are left out; images='x_test', labels='y_test'" in plan.in_words()["remarks"]


def test_two_candidates_are_asked_for(make):
    with pytest.raises(UnrecognisedError, match=r"images may be X or data, labels y; it holds X") as caught:
        plan_file(make({"X": pictures(), "data": pictures(), "y": classes()}))
    assert caught.value.suggestion == {"images": "KEY", "labels": "y"}
    with pytest.raises(UnrecognisedError, match=r"images may be a/x or b/x"):
        plan_file(make({"a/x": pictures(), "a/y": classes(), "b/x": pictures(), "b/y": classes()}))
    with pytest.raises(UnrecognisedError, match=r"images may be X_test or X_val"):
        plan_file(make({"X_test": pictures(), "y_test": classes(), "X_val": pictures(), "y_val": classes()}))


def test_a_refusal_lists_the_datasets_and_suggests_what_takes_the_file(make, read):
    path = make({"galaxies": pictures(), "ans": classes(), "redshift": np.ones(3)})
    match = r"must be told by images and labels; it holds ans \(20,\) int64; galaxies \(20, 8, 6, 3\) uint8; redshift"
    with pytest.raises(UnrecognisedError, match=match) as caught:
        plan_file(path)
    assert caught.value.suggestion == {"images": "galaxies", "labels": "ans"}
    _, rows = read(path, **caught.value.suggestion)
    np.testing.assert_array_equal(rows, pictures())


def test_one_of_the_two_that_is_told_finds_the_other(make):
    path = make({"X": pictures(), "data": pictures(), "y": classes()})
    assert plan_file(path, Choices(images="/data")).labels.path == "y"
    path = make({"images": pictures(), "ans": classes(), "labels": classes()})
    assert plan_file(path, Choices(labels="ans")).images == "images"


def test_labels_and_names_may_lie_in_another_file(make):
    other = make({"y": classes(), "names": [b"a", b"b", b"c"]}, name="labels.h5")
    path = make({"pics": pictures()})
    plan = plan_file(path, Choices(images="pics", labels=f"{other}::y", names=f"{other}::names"))
    labels = read_labels(plan)
    np.testing.assert_array_equal(labels.numbers, classes())
    assert labels.names == ["a", "b", "c"]


def test_what_is_told_must_be_there(make):
    path = make({"X": pictures(), "y": classes(), "z": classes(7)})
    with pytest.raises(UserError, match=r"images: must be the path of a dataset of .*; received Q; it holds X \(20"):
        plan_file(path, Choices(images="Q"))
    with pytest.raises(UserError, match=r"labels: must be one for each image; z \(7,\) int64 and X .* are not"):
        plan_file(path, Choices(images="X", labels="z"))
    with pytest.raises(UserError, match=r"names: must be a dataset of names; received q"):
        plan_file(path, Choices(names="q"))
    with pytest.raises(UserError, match=r"paths: must be a dataset of one text a row; z has shape \(7,\)"):
        plan_file(path, Choices(paths="z"))
    with pytest.raises(UserError, match=r"images: must be a dataset of images or vectors; y \(20,\)"):
        plan_file(path, Choices(images="y", labels="y"))


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"color_order": "rgb"}, "color_order: must be RGB or BGR; received rgb"),
        ({"axes": "nhhw"}, "axes: must name each stored axis once.*received nhhw"),
        ({"axes": "nxy"}, "axes: must name each stored axis once.*received nxy"),
        ({"shape": "32"}, "shape: must be sides in pixels, such as 32x32x3.*received 32"),
        ({"size": "0x3"}, "size: must be sides in pixels, such as 224x224; received 0x3"),
        ({"scale": "1..0"}, r"scale: must be LOW..HIGH.*received 1\.\.0"),
        ({"scale": "0..nan"}, r"scale: must be LOW..HIGH.*received 0\.\.nan"),
        ({"rows": -1}, "rows: must be a number of rows; received -1"),
    ],
)
def test_choices_are_validated(told, match):
    with pytest.raises(UserError, match=match):
        Choices(**told)


def test_rows_limits_how_many_are_read(make, read):
    path = make({"X": pictures(), "y": classes()})
    plan, rows = read(path, rows=7)
    np.testing.assert_array_equal(rows, pictures()[:7])
    assert len(read_labels(plan).numbers) == 7
    assert "of 20 rows, the first 7 are used, as told" in plan.in_words()["remarks"]
    with pytest.raises(UserError, match=r"rows: must be at most the 20 of .*; received 21"):
        plan_file(path, Choices(rows=21))


def test_optional_data_that_are_odd_are_left_out_with_a_remark(make, read):
    table = np.zeros(3, [("a", "i4"), ("b", "f4")])
    plan, _ = read(make({"X": pictures(), "y": classes(), "label_names": table, "paths": np.ones((N, 2))}))
    assert not plan.names
    assert not plan.paths
    remarks = plan.in_words()["remarks"]
    assert "the paths in paths are left out: it holds float64" in remarks
    assert "the names of classes in label_names are left out: it holds a table" in remarks


def test_names_that_claim_too_much_are_left_out(make):
    path = make({"X": pictures(), "y": classes()})
    with h5py.File(path, "a") as file:
        file.create_dataset("label_names", (10**12,), "S1000")
    assert "label_names are left out: it has shape (1000000000000,)" in plan_file(path).in_words()["remarks"]


def test_foreign_attributes_of_our_names_do_not_matter(make, read):
    path = make({"X": pictures(), "y": classes()}, {"/": {"checksum": 5, "format_version": "2.0"}})
    _, rows = read(path)
    np.testing.assert_array_equal(rows, pictures())


def test_a_second_name_of_one_dataset_is_no_second_candidate(make, read):
    path = make({"X": pictures(), "y": classes()})
    with h5py.File(path, "a") as file:
        file["images"] = file["X"]
        file["labels"] = h5py.SoftLink("/y")
    assert len(read(path)[1]) == N
