"""Files and folders of odd names, and folders of odd shapes, are listed."""

import os
import time

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_folder, label_from_name
from pyimagesearch.io.images.folder import list_image_folder
from tests.io.images.oddnames import COMPOSED, DECOMPOSED, NAMES, NOT_UTF8, touch


class TestListing:
    @pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
    def test_any_name_is_listed_as_it_is(self, tmp_path, name):
        touch(tmp_path / name)
        touch(tmp_path / "dog.0.jpg")
        images = list_image_folder(tmp_path, label_from_name)
        assert images.paths == sorted([name, "dog.0.jpg"])
        labels = dict(zip(images.paths, (images.label_names[label] for label in images.labels), strict=True))
        assert labels == {name: name.split(".")[0], "dog.0.jpg": "dog"}

    @pytest.mark.parametrize("name", [*NAMES.values(), NOT_UTF8])
    def test_a_folder_of_any_name_is_a_label(self, tmp_path, name):
        try:
            touch(tmp_path / name / "1.png")
        except OSError as error:
            pytest.skip(f"this file system refuses the name: {error}")
        images = list_image_folder(tmp_path, label_from_folder)
        assert images.label_names == [name]
        assert images.paths == [os.path.join(name, "1.png")]
        assert os.path.exists(images.root / images.paths[0])

    def test_composed_and_decomposed_names_are_two_files(self, tmp_path):
        for name in (COMPOSED, DECOMPOSED):
            touch(tmp_path / f"{name}.jpg")
        if len(os.listdir(tmp_path)) == 1:
            pytest.skip("this file system takes both forms for one name")
        images = list_image_folder(tmp_path, label_from_name)
        assert sorted(images.paths) == sorted([f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg"])
        assert sorted(images.label_names) == sorted([COMPOSED, DECOMPOSED])

    def test_links_that_form_a_loop_are_not_followed(self, tmp_path):
        touch(tmp_path / "a/b/cat.1.jpg")
        (tmp_path / "a/b/up").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "a/self").symlink_to(tmp_path / "a/self")
        (tmp_path / "a/ping").symlink_to(tmp_path / "a/pong")
        (tmp_path / "a/pong").symlink_to(tmp_path / "a/ping")
        assert list_image_folder(tmp_path, label_from_name).paths == ["a/b/cat.1.jpg"]

    def test_a_link_to_an_image_is_an_image(self, tmp_path):
        touch(tmp_path / "elsewhere/original.jpg")
        (tmp_path / "images").mkdir()
        (tmp_path / "images/cat.0.jpg").symlink_to(tmp_path / "elsewhere/original.jpg")
        assert list_image_folder(tmp_path / "images", label_from_name).paths == ["cat.0.jpg"]

    def test_empty_folders_and_folders_named_like_images_hold_none(self, tmp_path):
        (tmp_path / "empty/er").mkdir(parents=True)
        (tmp_path / "cat.0.jpg").mkdir()
        with pytest.raises(UserError, match="holds no images"):
            list_image_folder(tmp_path, label_from_name)
        touch(tmp_path / "cat.0.jpg/dog.1.jpg")
        images = list_image_folder(tmp_path, label_from_name)
        assert images.paths == [os.path.join("cat.0.jpg", "dog.1.jpg")]
        assert images.label_names == ["dog"]

    def test_hidden_images_count_and_other_hidden_files_do_not(self, tmp_path):
        for name in ("cats/.first.jpg", "dogs/1.jpg", "cats/.DS_Store", ".jpg.swp", "cats/.jpg.part"):
            touch(tmp_path / name)
        images = list_image_folder(tmp_path, label_from_folder)
        assert images.paths == ["cats/.first.jpg", "dogs/1.jpg"]
        assert images.label_names == ["cats", "dogs"]

    def test_a_folder_that_cannot_be_read_is_no_empty_folder(self, tmp_path, monkeypatch):
        for name in ("cats/1.jpg", "dogs/1.jpg", "foxes/1.jpg"):
            touch(tmp_path / name)
        scandir = os.scandir

        def refuse(path="."):
            if os.fspath(path) == str(tmp_path / "foxes"):
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises((UserError, PermissionError), match="foxes"):
            list_image_folder(tmp_path, label_from_folder)

    def test_a_hidden_image_without_a_label_is_named(self, tmp_path):
        touch(tmp_path / "cat.1.jpg")
        touch(tmp_path / ".cat.1.jpg")
        with pytest.raises(
            UserError, match=r"label_of: must return the name of a class.*for \.cat\.1\.jpg it returned ''"
        ):
            list_image_folder(tmp_path, label_from_name)

    def test_notes_that_a_mac_keeps_beside_images_are_none(self, tmp_path):
        for name in ("cat.1.jpg", "._cat.1.jpg", "__MACOSX/._cat.1.jpg"):
            touch(tmp_path / name)
        assert list_image_folder(tmp_path, label_from_name).paths == ["cat.1.jpg"]

    def test_a_class_may_be_a_link_to_a_folder(self, tmp_path):
        touch(tmp_path / "elsewhere/1.jpg")
        touch(tmp_path / "images/cats/1.jpg")
        (tmp_path / "images/dogs").symlink_to("../elsewhere", target_is_directory=True)
        images = list_image_folder(tmp_path / "images", label_from_folder)
        assert images.paths == ["cats/1.jpg", "dogs/1.jpg"]
        assert images.label_names == ["cats", "dogs"]

    def test_links_between_neighbours_are_followed_once(self, tmp_path):
        touch(tmp_path / "a/1.jpg")
        touch(tmp_path / "b/2.jpg")
        (tmp_path / "a/to_b").symlink_to("../b", target_is_directory=True)
        (tmp_path / "b/to_a").symlink_to("../a", target_is_directory=True)
        found = list_image_folder(tmp_path, lambda path: "any").paths
        assert found == ["a/1.jpg", "a/to_b/2.jpg", "b/2.jpg", "b/to_a/1.jpg"]

    def test_thousands_of_files_are_each_listed_once_in_order(self, tmp_path):
        names = [f"{('cat', 'dog', 'emu')[i * i % 7 % 3]}.{i}.jpg" for i in range(5000)]
        for name in reversed(names):
            touch(tmp_path / name)
        images = list_image_folder(tmp_path, label_from_name)
        assert images.paths == sorted(names)
        assert images.label_names == ["cat", "dog", "emu"]
        expected = [("cat", "dog", "emu").index(name[:3]) for name in sorted(names)]
        np.testing.assert_array_equal(images.labels, expected)

    def test_a_hundred_thousand_files_are_listed_in_two_seconds(self, tmp_path):
        """Or, on a slow machine, in a few times what it takes to walk through them."""
        touch(tmp_path / "cat.0.jpg")
        for i in range(1, 100_000):
            os.mknod(tmp_path / f"{('cat', 'dog')[i % 2]}.{i}.jpg")

        def walk():
            return sorted(os.path.join(parent, name) for parent, _, names in os.walk(tmp_path) for name in names)

        def seconds(function):
            took = []
            for _ in range(2):
                began = time.perf_counter()
                function()
                took.append(time.perf_counter() - began)
            return min(took)

        assert len(list_image_folder(tmp_path, label_from_name).paths) == 100_000
        assert seconds(lambda: list_image_folder(tmp_path, label_from_name)) < max(2, 15 * seconds(walk))
