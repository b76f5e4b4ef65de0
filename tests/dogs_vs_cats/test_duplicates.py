"""Pictures that are in a data set twice are reported, and kept in one split on request."""

import json
import shutil

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.samples.animals import LABELS, paint


@pytest.fixture
def twins(workplace, write_config):
    """A folder in which five pictures occur twice: three as copies, two saved again."""
    images = workplace / "images"
    shutil.rmtree(images)
    images.mkdir()
    for number in range(40):
        label = LABELS[number % 2]
        cv2.imwrite(str(images / f"{label}.{number // 2}.jpg"), paint(label, np.random.default_rng(number)))
    for number in range(5):
        source, copy = images / f"cat.{number}.jpg", images / f"cat.{100 + number}.jpg"
        if number < 3:
            shutil.copy(source, copy)
        else:
            cv2.imwrite(str(copy), cv2.imread(str(source)), [cv2.IMWRITE_JPEG_QUALITY, 50])
    return workplace, write_config(workplace, {})


def build(call, config, *options):
    outcome = call("build_dogs_vs_cats", "-o", "new", "--config", config, *options)
    assert outcome.code == 0, outcome.err
    return outcome.out


def split_of_paths(folder):
    found = {}
    for name in ("train", "val", "test"):
        with h5py.File(folder / f"new/{name}.hdf5") as file:
            found |= dict.fromkeys(file["paths"].asstr()[:].tolist(), name)
    return found


def expected_groups():
    return [sorted([f"cat.{number}.jpg", f"cat.{100 + number}.jpg"]) for number in range(5)]


def test_they_are_reported(twins, call):
    folder, config = twins
    out = build(call, config)
    report = json.loads((folder / "new/build.json").read_text("utf-8"))["duplicates"]
    assert sorted(map(sorted, report["groups"])) == sorted(expected_groups())
    place = split_of_paths(folder)
    torn = [group for group in expected_groups() if place[group[0]] != place[group[1]]]
    assert len(report["across_splits"]) == len(torn)
    assert f"look the same: 5, in different splits {len(torn)}, with different labels 0;" in out


def test_they_are_kept_together(twins, call):
    folder, config = twins
    build(call, config, "--duplicates", "group")
    place = split_of_paths(folder)
    assert len(place) == 45
    for one, other in expected_groups():
        assert place[one] == place[other]
    report = json.loads((folder / "new/build.json").read_text("utf-8"))["duplicates"]
    assert report["across_splits"] == []


def test_a_picture_under_two_labels_is_a_conflict(twins, call):
    folder, config = twins
    shutil.copy(folder / "images/cat.7.jpg", folder / "images/dog.107.jpg")
    build(call, config, "--duplicates", "report")
    report = json.loads((folder / "new/build.json").read_text("utf-8"))["duplicates"]
    assert report["conflicts"] == [["cat.7.jpg", "dog.107.jpg"]]
