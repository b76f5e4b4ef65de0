"""Every mistake of who builds a data set gets one clear line and exit code 2, and costs no file."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.dogs_vs_cats.mistakes import Mistake, add_unreadable, check, only_cats, only_error, rows_of, write_noise


def one_fish(place: Path) -> None:
    shutil.copytree(place / "images", place / "rare")
    write_noise(place / "rare/fish.0.jpg")


def half_a_config(place: Path) -> None:
    (place / "half_config.py").write_text('IMAGES_PATH = "images"\nfrom pyimagesearch.io import label_from_name\n')


MISTAKES = {
    "folder missing": Mistake(
        "build_dogs_vs_cats", ["-d", "nowhere", "-o", "new"],
        r"dataset: must be a folder of images; received nowhere, which does not exist; check the path",
    ),
    "folder is a file": Mistake(
        "build_dogs_vs_cats", ["-d", "images/cat.0.jpg", "-o", "new"],
        r"dataset: must be a folder of images; received images/cat\.0\.jpg, which is a file; check",
    ),
    "folder empty": Mistake(
        "build_dogs_vs_cats", ["-d", "empty", "-o", "new"],
        r"dataset: empty holds no images \(\.jpg, .*check the path",
        lambda place: (place / "empty").mkdir(),
    ),
    "one class": Mistake(
        "build_dogs_vs_cats", ["-d", "cats", "-o", "new"],
        r"dataset: at least two classes are needed; all 8 images of cats are labelled 'cat'; label_of",
        only_cats,
    ),
    "labels that are empty": Mistake(
        "build_dogs_vs_cats",
        ["-o", "new"],
        r"LABEL_OF: must return the name of a class for every image; for cat\.0\.jpg it returned",
        settings='LABEL_OF = lambda path: ""',
    ),
    "labels that are None": Mistake(
        "build_dogs_vs_cats",
        ["-o", "new"],
        r"LABEL_OF: must return the name of a class for every image; for cat\.0\.jpg it returned",
        settings="LABEL_OF = lambda path: None",
    ),
    "more validation and test than images": Mistake(
        "build_dogs_vs_cats", ["-o", "new"],
        r"split: 30 validation, 20 test images leave -10 of 40 for training.*lower num_val_images and num_test",
        settings="NUM_VAL_IMAGES, NUM_TEST_IMAGES = 30, 20",
    ),
    "fractions above all": Mistake(
        "build_dogs_vs_cats", ["-o", "new"],
        r"split: 24 validation, 20 test images leave -4 of 40 for training.*lower num_val_images and num_test",
        settings="NUM_VAL_IMAGES, NUM_TEST_IMAGES = 0.6, 0.5",
    ),
    "no validation": Mistake(
        "build_dogs_vs_cats", ["-o", "new"],
        r"NUM_VAL_IMAGES: must be a count, a fraction below 1, or the name of a folder; received 0",
        settings="NUM_VAL_IMAGES = 0",
    ),
    "class too rare": Mistake(
        "build_dogs_vs_cats", ["-d", "rare", "-o", "new"],
        r"split: every split needs an image of each of the 3 classes; received 41 images, the rarest class 1",
        one_fish,
    ),
    "unreadable images": Mistake(
        "build_dogs_vs_cats", ["-d", "mixed", "-o", "new"],
        r"dataset: 3 of 15 images in mixed cannot be read: (?=.*cat\.empty\.jpg \([^;]*0 bytes)"
        r"(?=.*cat\.text\.jpg \([^;]*no image)(?=.*dog\.short\.jpg \([^;]*truncated).*--on-error skip",
        lambda place: add_unreadable(place / "mixed"),
    ),
    "unreadable images when forced": Mistake(
        "build_dogs_vs_cats", ["-d", "mixed", "--force"], r"dataset: 3 of 15 images in mixed cannot be read",
        lambda place: add_unreadable(place / "mixed"),
    ),
    "images of no size": Mistake(
        "build_dogs_vs_cats", ["-o", "new"], r"width: must be a whole number of pixels, at least 1; received 0",
        settings="STORED_SIZE = 0",
    ),
    "output below a file": Mistake(
        "build_dogs_vs_cats", ["-o", "images/cat.0.jpg"],
        r"--output: images/cat\.0\.jpg/train\.hdf5 cannot be written .*; choose a place where you may write",
    ),
    "no jobs": Mistake(
        "build_dogs_vs_cats", ["-o", "new", "--jobs", "0"],
        r"-j/--jobs: must be at least 1; received 0; see --help",
    ),
    "unknown flag": Mistake(
        "build_dogs_vs_cats", ["-o", "new", "--color", "red"], r"arguments: --color red; see --help"
    ),
    "unknown way out of errors": Mistake(
        "build_dogs_vs_cats", ["-o", "new", "--on-error", "ignore"],
        r"--on-error: .*'ignore' .*fail.*skip.*see --help",
    ),
    # the config
    "config missing": Mistake(
        "build_dogs_vs_cats", ["-o", "new", "--config", "config.no_such_config"],
        r"--config: must name a module of settings; received config\.no_such_config, which was not found "
        r"from .*; copy config/dogs_vs_cats_config\.py",
    ),
    "config as a file": Mistake(
        "build_dogs_vs_cats", ["-o", "new", "--config", "config/my_config.py"],
        r"--config: must be a module's name; received the file config/my_config\.py; write config\.my_config",
    ),
    "config that lacks a setting": Mistake(
        "build_dogs_vs_cats", ["-o", "new", "--config", "half_config"], r"half_config.*TRAIN_HDF5|TRAIN_HDF5",
        half_a_config,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name, workplace, call, write_config, files_in):
    check(MISTAKES[name], workplace, call, write_config, files_in)


def test_unreadable_images_are_left_out_and_listed_when_asked(workplace, call, write_config):
    add_unreadable(workplace / "mixed")
    config = write_config(workplace, "NUM_VAL_IMAGES = NUM_TEST_IMAGES = 2")
    outcome = call("build_dogs_vs_cats", "-d", "mixed", "-o", "new", "--on-error", "skip", "--config", config)
    assert outcome.code == 0, outcome.err
    report = json.loads((workplace / "new/build.json").read_text())
    assert report["skipped"].keys() == {"cat.empty.jpg", "cat.text.jpg", "dog.short.jpg"}
    assert "0 bytes" in report["skipped"]["cat.empty.jpg"]
    assert "truncated" in report["skipped"]["dog.short.jpg"]
    assert report["classes"] == {"cat": 6, "dog": 6}
    assert re.search(r"^\[INFO\] left out 3 unreadable images; \S*build\.json lists them", outcome.out, re.M)
    assert rows_of(workplace / "new").keys() == {f"{c}.{n}.jpg" for c in ("cat", "dog") for n in range(6)}


def test_decoders_do_not_chatter_about_unreadable_images(tmp_path, monkeypatch, call_shell):
    add_unreadable(tmp_path / "mixed")
    monkeypatch.chdir(tmp_path)
    done = call_shell("build_dogs_vs_cats", "-d", "mixed", "-o", "new")
    assert done.returncode == 2
    assert re.match(
        r"python -m dogs_vs_cats.build_dogs_vs_cats: error: --dataset: .*cannot be read", only_error(done.stderr)
    )
