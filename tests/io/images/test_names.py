"""Names as strangers choose them go through the build and into reports."""

import contextlib
import importlib
import io
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.inspection import damaged_rows
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from tests.io.images.oddnames import NAMES, NOT_UTF8, write_image

ROOT = Path(__file__).resolve().parents[3]
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
            code = script.main.run(["--config", name, *arguments])
        return code, out.getvalue(), err.getvalue()

    return run


def built_paths():
    """Return where each row of the three files came from."""
    found = []
    for name in ("train", "val", "test"):
        with h5py.File(f"out/{name}.hdf5") as file:
            found += file["paths"].asstr()[:].tolist()
    return found


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
            ({"cats": 1}, 1, "IMAGES_PATH: at least two classes are needed; all 1 images"),
            ({"cats": 9}, 2, "IMAGES_PATH: at least two classes are needed; all 9 images"),
            ({"cats": 1, "dogs": 1}, 1, "split: 1 validation, 1 test images leave 0 of 2 for training"),
            ({"cats": 1, "dogs": 1, "emus": 1, "foxes": 1}, 4, "images leave -4 of 4 for training"),
            ({"cats": 2, "dogs": 2, "emus": 2}, 1, "split: every split needs an image of each of the 3 classes"),
            ({"cats": 1, "dogs": 8}, 2, "split: every split needs an image of each of the 2 classes"),
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
        assert written >= {"classifier.skops", "classifier_confusion_matrix.png"}
        assert set(os.listdir(tmp_path)) == {*written, "features.hdf5", "MODEL_CARD.md"}
