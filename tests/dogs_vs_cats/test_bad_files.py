"""Files that are no sound data sets, and scripts at the shell: one line and exit code 2, and no file is harmed."""

import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.dogs_vs_cats.mistakes import assert_refused


def cut_in_half(path: Path, source: Path) -> None:
    data = source.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def with_attribute(path: Path, source: Path, name: str, value: object) -> None:
    shutil.copyfile(source, path)
    with h5py.File(path, "r+") as file:
        file.attrs.modify(name, value)


def without_rows(path: Path, source: Path) -> None:
    with h5py.File(path, "w") as file:
        file["weather"] = [1, 2, 3]


BROKEN_FILES = {
    "missing": (lambda path, source: None, r"broken\.hdf5 does not exist.*check the path"),
    "text": (
        lambda path, source: path.write_text("no HDF5 at all"),
        r"broken\.hdf5 must be an HDF5 file; it is text; check the path",
    ),
    "cut": (cut_in_half, r"broken\.hdf5 must be an HDF5 file; it is not, or it is damaged"),
    "incomplete": (
        lambda path, source: with_attribute(path, source, "complete", False),
        r"broken\.hdf5 is incomplete: its writer was stopped; build it again",
    ),
    "newer": (
        lambda path, source: with_attribute(path, source, "format_version", np.int64(99)),
        r"broken\.hdf5 has format version 99; .* reads versions up to \d+; install a newer one",
    ),
    "foreign": (without_rows, r"broken\.hdf5 are the images and the labels must be told .*; it holds weather"),
}
READERS = {
    "train_alexnet": ("output/train.hdf5", ["--force"], 'TRAIN_HDF5 = "broken.hdf5"'),
    "crop_accuracy": ("output/test.hdf5", ["--model", "small.keras", "--dataset", "broken.hdf5"], ""),
    "extract_features": ("output/test.hdf5", ["--dataset", "broken.hdf5", "-o", "new.hdf5"], ""),
    "train_model": ("output/features.hdf5", ["--db", "broken.hdf5", "--force"], ""),
}


@pytest.mark.parametrize("script", READERS)
@pytest.mark.parametrize("kind", BROKEN_FILES)
def test_broken_data_set(script, kind, workplace, call, write_config, files_in):
    spoil, message = BROKEN_FILES[kind]
    source, arguments, settings = READERS[script]
    spoil(workplace / "broken.hdf5", workplace / source)
    config = write_config(workplace, settings)
    before = files_in(workplace)
    outcome = call(script, *arguments, "--config", config)
    if (script, kind) == ("extract_features", "missing"):
        message = r"dataset: must be a folder of images.*; received broken\.hdf5, which does not exist; check"
    assert_refused(outcome, message)
    assert files_in(workplace) == before


SHELL_MISTAKES = {
    "build": (["build_dogs_vs_cats", "-d", "nowhere"], r"dataset: .*nowhere, which does not exist"),
    "train": (["train_alexnet"], r"data set: \S+ does not exist or is no file; check the path"),
    "crops": (["crop_accuracy", "-m", "none.keras"], r"model: none\.keras does not exist"),
    "features": (["extract_features", "-d", "nowhere"], r"dataset: .*nowhere, which does not exist"),
    "classify": (["train_model", "-d", "none.hdf5"], r"none\.hdf5 does not exist"),
}


@pytest.mark.parametrize("step", SHELL_MISTAKES)
def test_a_user_at_the_shell_reads_one_line(step, tmp_path, monkeypatch, call_shell):
    (script, *arguments), message = SHELL_MISTAKES[step]
    monkeypatch.chdir(tmp_path)
    done = call_shell(script, *arguments, as_module=step in ("build", "crops", "classify"))
    assert done.returncode == 2
    assert re.fullmatch(rf"python .*{script}(\.py)?: error: .*{message}.*\n", done.stderr)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
