"""Folders that people really have."""

import logging

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_folder, label_from_name
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.folder import check_classes


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "JFI", "jif", "dib", "HEIC", "heif", "avif"])
def test_all_suffixes_of_formats_that_are_decoded_count(tmp_path, suffix):
    touch(tmp_path, f"cat/0.{suffix}", "dog/0.jpg")
    assert list_images(tmp_path, label_from_folder).label_names == ["cat", "dog"]


def test_a_folder_with_images_below_is_not_empty(tmp_path):
    touch(tmp_path, "animals/labels.csv", "animals/pets/cat/0.jpg", "animals/pets/dog/0.jpg")
    assert list_images(tmp_path, label_from_folder).left_out.emptied == []


def test_what_is_left_out_is_counted_and_said(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    touch(tmp_path, "cat/0.jpg", "dog/0.jpg", "fox/0.svg", "fox/1.svg", "fox/notes.txt", "dog/Makefile", "cat/._0.jpg")
    left_out = list_images(tmp_path, label_from_folder).left_out
    assert left_out.suffixes == {".svg": 2, ".txt": 1, "without suffix": 1, "._*": 1}
    assert left_out.emptied == ["fox"]
    assert "left out files that are no images: 2 .svg, 1" in caplog.text
    assert "left out folders without any image: fox" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.parametrize("name", [".ipynb_checkpoints", ".Trash-1000", "@eaDir", "__MACOSX", "$RECYCLE.BIN"])
def test_some_folders_are_no_class(tmp_path, caplog, name):
    caplog.set_level(logging.INFO)
    touch(tmp_path, "cat/0.jpg", "dog/0.jpg", f"{name}/0.jpg", f"dog/{name}/deep/1.jpg")
    images = list_images(tmp_path, label_from_folder)
    assert images.paths == ["cat/0.jpg", "dog/0.jpg"]
    assert images.left_out.folders == sorted([name, f"dog/{name}"])
    assert "left out folders that hold no class: " in caplog.text


class TestNumbersOfFiles:
    def test_classes_that_look_like_numbers_of_files_are_asked(self, tmp_path):
        touch(tmp_path, *(f"{kind}/{i}.jpg" for kind in ("cat", "dog") for i in range(20)))
        with pytest.raises(
            UserError,
            match="label_of: 20 classes such as 0, 1, 10 look like numbers of files, while folders would give 2: cat, "
            "dog; use label_from_folder",
        ):
            list_images(tmp_path, label_from_name)
        assert list_images(tmp_path, label_from_folder).label_names == ["cat", "dog"]
        assert len(list_images(tmp_path, lambda path: label_from_name(path)).label_names) == 20

    def test_names_of_kaggle_are_none(self, tmp_path):
        touch(tmp_path, *(f"{place}/{i % 3}.{i}.jpg" for place in "ab" for i in range(9)))
        assert list_images(tmp_path, label_from_name).label_names == ["0", "1", "2"]

    def test_a_class_for_every_image_is_none(self, tmp_path):
        images = list_images(touch(tmp_path, *(f"IMG_{i}.jpg" for i in range(12))), label_from_name)
        with pytest.raises(UserError, match="label_of: it gives 12 different values to 12 images, such as IMG_0, IMG"):
            check_classes(images)


class TestSplits:
    def test_folders_of_splits_are_kept_and_said(self, tmp_path, caplog):
        caplog.set_level(logging.INFO)
        touch(tmp_path, "train/cat/0.jpg", "train/dog/1.jpg", "validation/cat/2.jpg", "test/dog/3.jpg")
        assert list_images(tmp_path, label_from_folder).splits == ["test", "train", "train", "val"]
        assert "splits are kept as they are: 1 test, 2 train, 1 val" in caplog.text
        assert list_images(tmp_path, label_from_folder, keep_splits=False).splits == ()

    @pytest.mark.parametrize(
        "names", [("train/0.jpg", "test/1.jpg"), ("train/a/0.jpg", "extra/b/1.jpg"), ("a/train/0.jpg",)]
    )
    def test_other_folders_are_none(self, tmp_path, names):
        assert list_images(touch(tmp_path, *names), label_from_folder).splits in ((), [])

    def test_groups_come_from_a_function(self, tmp_path):
        touch(tmp_path, "cat/p1_0.jpg", "dog/p1_1.jpg", "dog/p2_0.jpg")
        images = list_images(tmp_path, label_from_folder, group_of=lambda path: label_from_name(path).split("_")[0])
        assert images.groups == ["p1", "p1", "p2"]
