"""Identities change with a file's content and with nothing else."""

import shutil

import h5py
import numpy as np
import pytest

from pyimagesearch.runs import recorder as identity
from pyimagesearch.runs.recorder import identify


def mark(path):
    return identify(path)["identity"]


def test_a_file_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("abc")
    assert identify(path) == {"path": str(path), "bytes": 3, "identity": "ba7816bf8f01cfea"}
    shutil.copyfile(path, tmp_path / "b.txt")
    assert mark(tmp_path / "b.txt") == mark(path)
    path.write_text("abd")
    assert mark(tmp_path / "b.txt") != mark(path)


@pytest.mark.parametrize("name", ["folder", "nothing"])
def test_a_folder_and_what_is_gone_have_only_a_path(tmp_path, name):
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    assert identify(path) == {"path": str(path), "bytes": None, "identity": None}


@pytest.mark.parametrize("kind", ["images", "features", "jpeg"])
def test_a_data_set_is_known_by_its_rows_labels_and_description(write_dataset, numbered_images, kind):
    rows = numbered_images(6) if kind != "features" else np.random.default_rng(0).normal(size=(6, 3)).astype("f4")
    options = {"encoding": "jpeg"} if kind == "jpeg" else {}
    first = mark(write_dataset(rows, name="a.hdf5", **options))
    assert mark(write_dataset(rows, name="b.hdf5", **options)) == first
    changed = rows.copy()
    changed[3] = rows[2]
    assert mark(write_dataset(changed, name="c.hdf5", **options)) != first
    assert mark(write_dataset(rows, name="d.hdf5", labels=[0, 0, 0, 1, 1, 1], **options)) != first
    assert mark(write_dataset(rows, name="e.hdf5", class_labels=("cat", "fox"), **options)) != first


def test_a_data_set_is_not_read_from_end_to_end(write_dataset, numbered_images, monkeypatch):
    path = write_dataset(numbered_images(6))
    monkeypatch.setattr(identity, "_MOST_BYTES", 0)
    assert mark(path)


@pytest.mark.parametrize("content", ["foreign", "damaged"])
def test_another_s_hdf5_file_is_known_by_its_bytes(tmp_path, content, monkeypatch):
    path = tmp_path / "other.hdf5"
    with h5py.File(path, "w") as file:
        file["weather"] = [1, 2, 3]
    if content == "damaged":
        path.write_bytes(path.read_bytes()[:50])
    before = mark(path)
    assert before
    path.write_bytes(path.read_bytes() + b"x")
    assert mark(path) != before
    monkeypatch.setattr(identity, "_MOST_BYTES", 10)
    assert mark(path) is None


def test_a_url_has_only_a_path_and_loses_its_credentials():
    assert identify("s3://bucket/pets") == {"path": "s3://bucket/pets", "bytes": None, "identity": None}
    assert identify("https://me:secret@host/pets?token=1")["path"] == "https://host/pets"
