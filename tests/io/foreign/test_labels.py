import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.labels import read_labels, read_paths
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from tests.io.foreign.pictures import N, classes, pictures


def labels_of(make, labels, **more):
    plan = plan_file(make({"X": pictures(), "y": labels, **more}))
    return read_labels(plan), plan.in_words()["labels"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (classes(), "y: class numbers"), (classes().astype(float), "y: class numbers"),
        (classes()[:, None], "y: class numbers, stored as (n, 1)"),
        (classes()[None], "y: class numbers, stored as (1, n)"),
        (np.eye(3)[classes()], "y: one-hot"), (np.eye(3, dtype=bool)[classes()], "y: one-hot"),
        ([["cat", "dog", "eel"][c] for c in classes()], "y: text, classes in sorted order"),
    ],
)  # fmt: skip
def test_every_form_is_understood_and_said(make, labels, words):
    found, said = labels_of(make, labels)
    np.testing.assert_array_equal(found.numbers, classes())
    assert found.numbers.dtype == np.int64
    assert said == words


def test_text_names_its_classes(make):
    found, _ = labels_of(make, [["dog", "cat"][c] for c in classes(count=2)])
    assert found.names == ["cat", "dog"]
    np.testing.assert_array_equal(found.numbers, 1 - classes(count=2))


def test_text_follows_the_order_of_names(make):
    found, _ = labels_of(make, [["dog", "cat"][c] for c in classes(count=2)], label_names=["dog", "cat"])
    assert found.names == ["dog", "cat"]
    np.testing.assert_array_equal(found.numbers, classes(count=2))


def test_booleans_are_two_classes(make):
    found, said = labels_of(make, classes() > 0)
    assert found.names == ["False", "True"]
    assert said == "y: false and true, classes 0 and 1"


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (classes() + 0.5, r"must be class numbers, whole and from 0 .*dtype float64, row 0 has 0\.5"),
        (classes() - 2, "row 0 has -2"),
        (np.full(N, np.nan), "row 0 has nan"),
        (np.full(N, 2**40), "row 0 has 1099511627776"),
        (np.full((N, 4), 0.25), r"must be one-hot, a single 1 in a row of zeros; row 0 of /y has \[0\.25"),
        (np.ones((N, 4), int), "labels of several classes or probabilities are no classes"),
    ],
)
def test_other_numbers_are_refused(make, labels, match):
    with pytest.raises(UserError, match=match):
        labels_of(make, labels)


def test_minus_one_and_one_are_two_classes(make):
    found, _ = labels_of(make, classes(count=2) * 2 - 1)
    np.testing.assert_array_equal(found.numbers, classes(count=2))
    assert found.remarks == ("labels are -1 and 1, which become the classes 0 and 1",)


def test_counting_from_one_needs_names_to_be_known(make):
    found, _ = labels_of(make, classes() + 1, label_names=["a", "b", "c"])
    np.testing.assert_array_equal(found.numbers, classes())
    found, _ = labels_of(make, classes() + 1)
    np.testing.assert_array_equal(found.numbers, classes() + 1)
    assert found.remarks == ("no row is of a class below 1",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([10, 20, 30], ["10", "20", "30"]), ([[b"a"], [b"b"], [b"c"]], ["a", "b", "c"]),
        (np.array(["café".encode("latin-1"), b"b", b"c"]), ["café", "b", "c"]), ([1.0, 2.5, 3.0], ["1", "2.5", "3"]),
        ([b"BMW", b"b", b"c"], ["BMW", "b", "c"]),
    ],
)  # fmt: skip
def test_odd_names_are_understood(make, names, expected):
    assert labels_of(make, classes(), label_names=names)[0].names == expected


def test_fewer_names_than_classes_are_completed_and_said(make):
    found, _ = labels_of(make, classes(), label_names=["a", "b"])
    assert found.names == ["a", "b", "2"]
    assert found.remarks == ("2 names for 3 classes: the others are named by their numbers",)


def test_two_classes_of_one_name_are_told_apart(make):
    found, _ = labels_of(make, classes(), label_names=["a", "b", "a"])
    assert found.names == ["a", "b", "a (2)"]
    assert found.remarks == ("classes 0 and 2 are both named a; 2 becomes a (2)",)


def test_paths_may_be_text_or_numbers(make):
    path = make({"X": pictures(), "y": classes(), "paths": [f"a/{i}" for i in range(N)]})
    assert read_paths(plan_file(path))[:2] == ["a/0", "a/1"]
    path = make({"X": pictures(), "y": classes(), "filenames": np.arange(N)})
    assert read_paths(plan_file(path))[:2] == ["0", "1"]
    assert read_paths(plan_file(make({"X": pictures(), "y": classes()}))) == []


def test_matlab_cells_of_text_are_names(make):
    import h5py

    path = make({"X": pictures(), "y": classes()})
    with h5py.File(path, "a") as file:
        for number, name in enumerate(["cat", "dog", "eel"]):
            file[f"#refs#/{number}"] = np.array([[ord(letter)] for letter in name], np.uint16)
        cells = [file[f"#refs#/{number}"].ref for number in range(3)]
        file.create_dataset("class_names", (1, 3), h5py.ref_dtype)[0] = cells
    assert read_labels(plan_file(path)).names == ["cat", "dog", "eel"]


def test_one_hot_labels_of_a_stopped_writer_are_read_as_far_as_told(make):
    labels = np.eye(3)[classes()]
    labels[12:] = 0
    path = make({"X": pictures(), "y": labels})
    with pytest.raises(UserError, match=r"must be one-hot, .*; row 12 of /y has"):
        read_labels(plan_file(path))
    np.testing.assert_array_equal(read_labels(plan_file(path, Choices(rows=12))).numbers, classes()[:12])
