from pathlib import Path

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_folder, label_from_name
from pyimagesearch.io.images.folder import ImageFolder, build_mark, check_classes, count_by_class, list_image_folder

NAMES = ["dog.10.jpg", "dog.2.JPG", "sub/cat.1.png", "cat.0.jpeg", "sub/deeper/cat.3.webp"]


@pytest.fixture
def folder(tmp_path):
    for name in [*NAMES, "notes.txt", "sub/cat.csv"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "by_name", "by_folder"),
    [("train/cat.0.jpg", "cat", "train"), ("/a/b/dog/1.x.jpg", "1", "dog"), ("fox.jpg", "fox", "")],
)
def test_labels_come_from_names_or_folders(path, by_name, by_folder):
    assert label_from_name(path) == by_name
    assert label_from_folder(path) == by_folder


class TestListing:
    def test_images_are_found_in_sorted_order_and_labelled(self, folder):
        images = list_image_folder(folder, label_from_name)
        assert images.root == folder
        assert images.paths == sorted(NAMES)
        assert images.label_names == ["cat", "dog"]
        assert [images.label_names[label] for label in images.labels] == [label_from_name(n) for n in sorted(NAMES)]
        assert images.labels.dtype == np.int64

    def test_labels_may_come_from_the_folders(self, folder):
        images = list_image_folder(str(folder / "sub"), label_from_folder)
        assert dict(zip(images.paths, images.labels, strict=True)) == {"cat.1.png": 1, "deeper/cat.3.webp": 0}
        assert images.label_names == ["deeper", "sub"]

    def test_a_label_function_of_one_s_own_sees_the_whole_path(self, folder):
        seen = []
        list_image_folder(folder, lambda path: seen.append(path) or "x")
        assert sorted(seen) == sorted(str(folder / name) for name in NAMES)

    def test_a_subset_keeps_the_classes(self, folder):
        images = list_image_folder(folder, label_from_name)
        subset = images.subset(np.array([4, 0]))
        assert subset.paths == [images.paths[4], images.paths[0]]
        assert subset.labels.tolist() == [images.labels[4], images.labels[0]]
        assert subset.label_names == images.label_names

    @pytest.mark.parametrize(("name", "state"), [("none", "does not exist"), ("notes.txt", "is a file")])
    def test_it_must_be_a_folder(self, folder, name, state):
        with pytest.raises(UserError, match=f"dataset: must be a folder of images; received .*{name}, which {state}"):
            list_image_folder(folder / name, label_from_name)

    def test_it_must_hold_images(self, tmp_path):
        (tmp_path / "notes.txt").touch()
        with pytest.raises(UserError, match=r"dataset: .* holds no images \(\.jpg, .*\), in no folder below it"):
            list_image_folder(tmp_path, label_from_name)

    @pytest.mark.parametrize("wrong", ["", None, 7])
    def test_every_image_needs_a_label(self, folder, wrong):
        message = (
            rf"label_of: must return the name of a class for every image; for cat\.0\.jpeg it returned {wrong!r}; use"
        )
        with pytest.raises(UserError, match=message):
            list_image_folder(folder, lambda path: "dog" if "dog" in Path(path).name else wrong)

    def test_one_class_is_too_few(self, folder):
        images = list_image_folder(folder, lambda _: "pet")
        with pytest.raises(UserError, match=r"at least two classes are needed; all 5 images of .* are labelled 'pet'"):
            check_classes(images)
        check_classes(list_image_folder(folder, label_from_name))


class TestBuildMark:
    IMAGES = ImageFolder(Path("a"), ["cat.0.jpg", "cat.1.jpg", "dog.0.jpg"], np.array([0, 0, 1]), ["cat", "dog"])
    ROWS = [np.array([0, 2]), np.array([1])]

    def test_equal_builds_have_equal_marks_wherever_they_lie(self):
        moved = self.IMAGES._replace(root=Path("b"))
        assert build_mark(self.IMAGES, self.ROWS, "cut") == build_mark(moved, self.ROWS, "cut")

    def test_everything_else_changes_the_mark(self):
        images, rows = self.IMAGES, self.ROWS
        marks = {
            build_mark(images, rows, "cut"),
            build_mark(images, rows, "squeezed"),
            build_mark(images, rows[::-1], "cut"),
            build_mark(images, [np.array([0]), np.array([2, 1])], "cut"),
            build_mark(images._replace(labels=np.array([0, 1, 1])), rows, "cut"),
            build_mark(images._replace(paths=["cat.0.jpg", "cat.2.jpg", "dog.0.jpg"]), rows, "cut"),
        }
        assert len(marks) == 6


def test_classes_are_counted_by_name():
    assert count_by_class(np.array([2, 0, 2]), ["cat", "dog", "fox"]) == {"cat": 1, "dog": 0, "fox": 2}
