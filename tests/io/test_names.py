"""Names as strangers choose them, folders in odd shapes, and data sets of hardly any rows."""

import contextlib
import importlib
import io
import itertools
import json
import os
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter, label_from_folder, label_from_name
from pyimagesearch.io.batchloader import BatchLoader
from pyimagesearch.io.fileformat import read_header
from pyimagesearch.io.imagefolder import list_image_folder
from pyimagesearch.io.inspection import damaged_rows
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.utils import cli

ROOT = Path(__file__).resolve().parents[2]
COMPOSED = unicodedata.normalize("NFC", "kätzchen")
DECOMPOSED = unicodedata.normalize("NFD", "kätzchen")
NAMES = {
    "a space": "cat.white cat 1.jpg",
    "spaces around": " cat. 2 .jpg",
    "composed": f"cat.{COMPOSED}.jpg",
    "decomposed": f"cat.{DECOMPOSED}.jpg",
    "another script": "cat.猫 😺 قطة.jpg",
    "quotes": "cat.'single' \"double\" `back`.jpg",
    "a newline": "cat.line\nfeed.jpg",
    "a tab and a return": "cat.\t\r.jpg",
    "a backslash": "cat.C:\\temp\\new.jpg",
    "percent and braces": "cat.%s {0} $HOME.jpg",
    "200 characters": "cat." + "x" * 192 + ".jpg",
    "240 bytes": "cat." + "猫" * 77 + "!.jpg",
    "an option": "-rf.jpg",
    "a comma; and more": "cat.a,b;c&d|e#f?.jpg",
    "upper case": "CAT.7.JPG",
}
NOT_UTF8 = os.fsdecode(b"cat.\xff\xfe.jpg")
SETTINGS = """
from config.dogs_vs_cats_config import *
from pyimagesearch.io import label_from_folder

IMAGES_PATH = "images"
LABEL_OF = label_from_folder
NUM_VAL_IMAGES, NUM_TEST_IMAGES = {held_out}, {held_out}
STORED_SIZE = 16
TRAIN_HDF5, VAL_HDF5, TEST_HDF5 = "out/train.hdf5", "out/val.hdf5", "out/test.hdf5"
DATASET_MEAN = "out/mean.json"
"""
_numbers = itertools.count()


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def write_image(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = cv2.resize(np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8), (20, 18))
    path.write_bytes(cv2.imencode(".jpg", pixels)[1])


@pytest.fixture
def write_odd(tmp_path):
    """Return a function that writes images by a list of names, unless the file system has no such names."""

    def write(names, label="cats"):
        for seed, name in enumerate(names):
            try:
                write_image(tmp_path / "images" / label / name, seed)
            except OSError as error:
                pytest.skip(f"this file system refuses {name!r}: {error}")

    return write


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that runs the build script on tmp_path/images, and returns code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, held_out=2):
        script = importlib.import_module("dogs_vs_cats.build_dogs_vs_cats")
        name = f"names_config_{next(_numbers)}"
        Path(f"{name}.py").write_text(SETTINGS.format(held_out=held_out), "utf-8")
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(lambda: script.main(["--config", name, *arguments]))
        return code, out.getvalue(), err.getvalue()

    return run


def built_paths():
    """Return where each row of the three files came from."""
    found = []
    for name in ("train", "val", "test"):
        with h5py.File(f"out/{name}.hdf5") as file:
            found += file["paths"].asstr()[:].tolist()
    return found


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
        for name in ("cats/.first.jpg", ".dogs/1.jpg", "cats/.DS_Store", ".jpg.swp", "cats/.jpg.part"):
            touch(tmp_path / name)
        images = list_image_folder(tmp_path, label_from_folder)
        assert images.paths == [".dogs/1.jpg", "cats/.first.jpg"]
        assert images.label_names == [".dogs", "cats"]

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
        with pytest.raises(UserError, match=r"LABEL_OF: must give the name of a class.*for \.cat\.1\.jpg it gave ''"):
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


class TestBuild:
    def test_every_row_keeps_its_name(self, write_odd, build):
        write_odd(NAMES.values())
        write_odd([f"dog.{i}.jpg" for i in range(12)], "dogs of the\n'neighbours'")
        code, _, err = build("--jobs", "2")
        assert code == 0, err
        expected = [f"cats/{name}" for name in NAMES.values()]
        expected += [f"dogs of the\n'neighbours'/dog.{i}.jpg" for i in range(12)]
        assert sorted(built_paths()) == sorted(expected)
        for name in ("train", "val", "test"):
            header = read_header(f"out/{name}.hdf5")
            assert header.label_names == ["cats", "dogs of the\n'neighbours'"]
            assert len(damaged_rows(f"out/{name}.hdf5")) == 0

    def test_every_name_gives_its_own_pixels(self, write_odd, build):
        """Through building and reading; images that differ in their seed differ in their pixels."""
        write_odd(NAMES.values())
        write_odd([f"dog.{i}.jpg" for i in range(12)], "dogs")
        code, _, err = build("--jobs", "2")
        assert code == 0, err
        for name in ("train", "val", "test"):
            loader = BatchLoader(f"out/{name}.hdf5", 5, dtype="uint8", threads=2, shuffle=True)
            with h5py.File(f"out/{name}.hdf5") as file:
                paths = file["paths"].asstr()[:]
            for batch in range(len(loader)):
                rows = loader.rows(0, batch)
                for path, image in zip(paths[rows], loader.batch(0, batch), strict=True):
                    original = cv2.imdecode(np.fromfile(f"images/{path}", np.uint8), cv2.IMREAD_COLOR)
                    np.testing.assert_array_equal(image, AspectAwarePreprocessor(16, 16).preprocess(original))
            loader.close()

    @pytest.mark.parametrize("name", [*NAMES.values(), NOT_UTF8, "n" * 200, "no\nfolder", 'it\'s "here" '])
    def test_folders_of_any_name_are_read_and_written(self, tmp_path, write_odd, build, name):
        write_odd([f"{i}.jpg" for i in range(6)], "cats")
        write_odd([f"{i}.jpg" for i in range(6)], "dogs")
        try:
            (tmp_path / "images").rename(tmp_path / name)
        except OSError as error:
            pytest.skip(f"this file system refuses the name: {error}")
        code, _, err = build("--dataset=" + name, "--output=" + os.path.join(name, "made"))
        assert code == 0, err
        made = tmp_path / name / "made"
        assert sorted(os.listdir(made)) == ["build.json", "mean.json", "test.hdf5", "train.hdf5", "val.hdf5"]
        loader = BatchLoader(made / "train.hdf5", 64, dtype="uint8")
        assert len(loader.batch(0, 0)) == 8
        loader.close()

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_a_name_that_is_not_utf8_is_kept_as_escapes(self, write_odd, build, encoding):
        write_odd([NOT_UTF8, *(f"cat.{i}.jpg" for i in range(5))])
        write_odd([f"dog.{i}.jpg" for i in range(6)], "dogs")
        code, _, err = build("--encoding", encoding)
        assert code == 0, err
        odd = [path for path in built_paths() if "\\" in path]
        assert odd == [f"cats/{NOT_UTF8.encode('utf-8', 'backslashreplace').decode()}"]
        assert len(set(built_paths())) == 12
        assert sum(len(damaged_rows(f"out/{name}.hdf5")) for name in ("train", "val", "test")) == 0

    def test_a_label_that_is_not_utf8_is_reported_on_a_terminal_that_is(self, tmp_path, write_odd):
        odd = os.fsdecode(b"cat\xff")
        write_odd([f"{i}.jpg" for i in range(6)], odd)
        write_odd([f"{i}.jpg" for i in range(6)], "dogs")
        (tmp_path / "odd_label_config.py").write_text(SETTINGS.format(held_out=2), "utf-8")
        command = [sys.executable, "-m", "dogs_vs_cats.build_dogs_vs_cats", "--config", "odd_label_config"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        escaped = odd.encode("utf-8", "backslashreplace").decode()
        assert read_header(tmp_path / "out/train.hdf5").label_names == [escaped, "dogs"]
        report = json.loads((tmp_path / "out/build.json").read_text("utf-8"))
        assert list(report["classes"].values()) == [6, 6]

    @pytest.mark.parametrize("name", [NOT_UTF8, "cat.line\nfeed.jpg", 'cat."quoted".jpg'])
    def test_a_bad_file_of_any_name_is_left_out_and_listed(self, tmp_path, write_odd, build, name):
        write_odd([name, *(f"cat.{i}.jpg" for i in range(6))])
        write_odd([f"dog.{i}.jpg" for i in range(6)], "dogs")
        (tmp_path / "images/cats" / name).write_bytes(b"no image")
        code, _, err = build()
        assert code == 2
        assert [line for line in err.splitlines() if "error:" in line] == err.splitlines()[-1:]
        assert "1 of 13 images" in err.splitlines()[-1]
        code, out, err = build("--on-error", "skip")
        assert code == 0, err
        assert "left out 1 unreadable images" in out
        assert len(built_paths()) == 12
        skipped = json.loads((tmp_path / "out/build.json").read_text("utf-8"))["skipped"]
        assert len(skipped) == 1

    def test_a_link_that_leads_nowhere_or_to_itself_is_an_unreadable_image(self, tmp_path, write_odd, build):
        write_odd([f"cat.{i}.jpg" for i in range(6)])
        write_odd([f"dog.{i}.jpg" for i in range(6)], "dogs")
        (tmp_path / "images/cats/self.jpg").symlink_to("self.jpg")
        (tmp_path / "images/cats/nowhere.jpg").symlink_to("gone.jpg")
        (tmp_path / "images/dogs/up").symlink_to("..", target_is_directory=True)
        code, _, err = build()
        assert code == 2
        assert "2 of 14 images" in err
        assert "cats/nowhere.jpg (No such file or directory)" in err
        assert "cats/self.jpg (" in err
        assert not list(tmp_path.glob("out/*"))

    @pytest.mark.parametrize(
        ("classes", "held_out", "message"),
        [
            ({"cats": 1}, 1, "dataset: at least two classes are needed; all 1 images"),
            ({"cats": 9}, 2, "dataset: at least two classes are needed; all 9 images"),
            ({"cats": 1, "dogs": 1}, 1, "split: 1 validation, 1 test images leave 0 of 2 for training"),
            ({"cats": 1, "dogs": 1, "emus": 1, "foxes": 1}, 4, "images leave -4 of 4 for training"),
            ({"cats": 2, "dogs": 2, "emus": 2}, 1, "split: every set needs an image of each of the 3 classes"),
            ({"cats": 1, "dogs": 8}, 2, "split: every set needs an image of each of the 2 classes"),
        ],
    )
    def test_too_few_images_are_a_clear_error(self, tmp_path, write_odd, build, classes, held_out, message):
        for label, count in classes.items():
            write_odd([f"{i}.jpg" for i in range(count)], label)
        code, _, err = build(held_out=held_out)
        assert code == 2
        assert err.count("\n") == 1
        assert message in err
        assert not list(tmp_path.glob("out/*"))


class TestReports:
    @pytest.mark.parametrize("label", ["$a_{$", "\\frac", "$\\frac$", "costs $5 or $6_", "%s {0}", "line\nfeed", "<b>"])
    def test_a_classifier_of_classes_of_any_name_is_trained_and_drawn(self, tmp_path, rng, label):
        from dogs_vs_cats import train_model

        labels = np.arange(40) % 2
        with HDF5DatasetWriter((40, 3), tmp_path / "features.hdf5", "features") as writer:
            writer.add(rng.normal(size=(40, 3)) + labels[:, None], labels)
            writer.store_class_labels([label, "dog"])
        arguments = ["--db", str(tmp_path / "features.hdf5"), "--model", str(tmp_path / "classifier.skops")]
        result = train_model.main([*arguments, "--jobs", "1"])
        assert result["images"] == 10
        written = {Path(file).name for file in result["files"]}
        assert written >= {"classifier.skops", "confusion_matrix.png"}
        assert set(os.listdir(tmp_path)) == {*written, "features.hdf5"}


class TestFewRows:
    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    @pytest.mark.parametrize("n", [1, 2, 3])
    @pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (1, 8), (2, 8), (64, 1), (64, 8)])
    def test_fewer_rows_than_threads_or_a_batch_has(self, tmp_path, n, batch_size, threads, encoding):
        rows = np.full((n, 16, 24, 3), 100, np.uint8)
        rows += (40 * np.arange(n, dtype=np.uint8))[:, None, None, None]
        labels = (np.arange(n) + 1) % 2
        with HDF5DatasetWriter(rows.shape, tmp_path / "few.hdf5", encoding=encoding) as writer:
            writer.add(rows, labels, [f"{i}.jpg" for i in range(n)])
            writer.store_class_labels(["cat", "dog"])
        assert len(damaged_rows(tmp_path / "few.hdf5")) == 0
        for shuffle in (False, True):
            loader = BatchLoader(tmp_path / "few.hdf5", batch_size, threads=threads, shuffle=shuffle)
            assert len(loader) == -(-n // batch_size)
            for epoch in range(3):
                images = np.concatenate([loader.batch(epoch, index) for index in range(len(loader))])
                order = np.concatenate([loader.rows(epoch, index) for index in range(len(loader))])
                assert sorted(order) == list(range(n))
                np.testing.assert_allclose(images, rows[order], atol=1)
            loader.close()
        generator = HDF5DatasetGenerator(tmp_path / "few.hdf5", batch_size, threads=threads)
        batches = list(generator.generator(passes=1))
        generator.close()
        assert [len(images) for images, _ in batches] == [min(batch_size, n - i) for i in range(0, n, batch_size)]
        np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), np.eye(2)[labels])

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_one_image_of_one_class(self, tmp_path, encoding):
        image = np.full((1, 16, 24, 3), 77, np.uint8)
        with HDF5DatasetWriter(image.shape, tmp_path / "one.hdf5", encoding=encoding) as writer:
            writer.add(image, [0], ["cat.0.jpg"])
            writer.store_class_labels(["cat"])
        header = read_header(tmp_path / "one.hdf5")
        assert (header.shape, header.label_names) == ((1, 16, 24, 3), ["cat"])
        generator = HDF5DatasetGenerator(tmp_path / "one.hdf5", 32, classes=1, shuffle=True, threads=8)
        (images, labels), *others = generator.generator(passes=1)
        generator.close()
        np.testing.assert_allclose(images, image, atol=1)
        assert (labels.tolist(), others) == ([[1]], [])

    def test_one_row_of_features(self, tmp_path):
        with HDF5DatasetWriter((1, 5), tmp_path / "one.hdf5", "features") as writer:
            writer.add(np.arange(5, dtype=np.float32)[None], [0])
        loader = BatchLoader(tmp_path / "one.hdf5", 3, threads=4, shuffle=True)
        np.testing.assert_array_equal(loader.batch(0, 0), [[0, 1, 2, 3, 4]])
        loader.close()

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    def test_no_rows_are_refused(self, tmp_path, encoding):
        with pytest.raises(UserError, match=r"dims: must be \(rows, \.\.\.\) with every size at least 1"):
            HDF5DatasetWriter((0, 8, 8, 3), tmp_path / "none.hdf5", encoding=encoding)
        assert os.listdir(tmp_path) == []
