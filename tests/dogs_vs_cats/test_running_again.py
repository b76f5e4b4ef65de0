"""The scripts again, in a project that is finished: resumed, forced, with other options."""

import contextlib
import io
import json
import pickle
import re
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import skops.io

from tests.dogs_vs_cats.finished import SPLITS, best_epoch, is_picture, read

ROOT = Path(__file__).resolve().parents[2]


def read_kernels(model: Path) -> list[np.ndarray]:
    """Return the weights of the convolutions and dense layers that are in a ``.keras`` file."""
    kernels = []

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and name.startswith("layers/") and item.ndim in (2, 4):
            kernels.append(item[:])

    with (
        zipfile.ZipFile(model) as archive,
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file,
    ):
        file.visititems(collect)
    return kernels


def test_train_model_gives_the_same_result_again_and_a_pickle_when_asked(project, workplace, call):
    again = call("train_model", "--model", "pickled/classifier.pickle", "--jobs", "1", "--config", project.config)
    assert again.code == 0, again.err
    first = project.steps["classify"].result
    assert again.result["accuracy"] == first["accuracy"]
    assert again.result["best_c"] == first["best_c"]
    assert sorted(path.name for path in (workplace / "pickled").iterdir()) == [
        "MODEL_CARD.md",
        "classifier.json",
        "classifier.pickle",
        "classifier.pickle.json",
        "classifier_confusion_matrix.png",
        "classifier_predictions.hdf5",
    ]
    classifier = pickle.loads((workplace / "pickled/classifier.pickle").read_bytes())
    safe = skops.io.load(workplace / "output/classifier.skops", trusted=[])
    features = read(workplace / "output/features.hdf5")["features"]
    assert (classifier.predict(features) == safe.predict(features)).all()


@pytest.fixture(scope="module")
def resumed(project, tmp_path_factory, copy_project, call):
    """Return a copy of the project that was trained for a third epoch, and how that went."""
    folder = copy_project(project.folder, tmp_path_factory.mktemp("resumed"))
    with contextlib.chdir(folder):
        outcome = call("train_alexnet", "--resume", "--epochs", "3", "--config", project.config)
    yield folder, outcome
    shutil.rmtree(folder)


def test_resume_continues_the_curves_up_to_the_epochs_asked_for(project, resumed):
    folder, outcome = resumed
    assert outcome.code == 0, outcome.err
    before = project.steps["train"].result["history"]
    after = json.loads((folder / "output/alexnet.json").read_text())
    assert {len(values) for values in after.values()} == {3}
    assert {name: values[:2] for name, values in after.items()} == {name: before[name] for name in after}
    assert {name: outcome.result["history"][name] for name in after} == after
    assert is_picture(folder / "output/alexnet.png")


def test_resume_prints_the_best_epoch_of_both_runs(resumed):
    outcome = resumed[1]
    assert f"in epoch {best_epoch(outcome.result['history']) + 1} of 3" in outcome.out


def test_resume_goes_on_learning(project, resumed):
    before = read_kernels(project.folder / "output/alexnet_last.keras")
    after = read_kernels(resumed[0] / "output/alexnet_last.keras")
    assert len(before) == len(after) > 5
    assert any((old != new).any() for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("build_dogs_vs_cats", []),
        ("train_alexnet", []),
        ("extract_features", ["--model", "output/alexnet.keras"]),
        ("train_model", ["--jobs", "1"]),
    ],
)
def test_existing_files_are_kept_unless_forced(project, workplace, call, files_in, script, arguments):
    before = files_in(workplace)
    outcome = call(script, *arguments, "--config", project.config)
    assert outcome.code == 2
    assert re.fullmatch(r"\S+: error: .*output/\S+ exists.*--force.*\n", outcome.err)
    assert files_in(workplace) == before


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("build_dogs_vs_cats", []),
        ("extract_features", ["--model", "output/alexnet.keras"]),
        ("train_model", ["--jobs", "1"]),
    ],
)
def test_force_replaces_the_files_and_nothing_else(project, workplace, call, files_in, script, arguments):
    step = {"build_dogs_vs_cats": "build", "extract_features": "features", "train_model": "classify"}[script]
    written = {str(path) for path in project.steps[step].result["files"]}
    before = files_in(workplace)
    outcome = call(script, *arguments, "--force", "--config", project.config)
    assert outcome.code == 0, outcome.err
    after = files_in(workplace)
    assert before.keys() == after.keys()
    assert {path for path in after if after[path] != before[path]} - {"output/MODEL_CARD.md"} == written


@pytest.mark.parametrize(("option", "value"), [("--jobs", "1"), ("--jobs", "3"), ("--buffer-size", "5")])
def test_equal_builds_are_equal_to_the_byte(project, workplace, call, option, value):
    outcome = call("build_dogs_vs_cats", "--output", "again", option, value, "--config", project.config)
    assert outcome.code == 0, outcome.err
    names = ["train.hdf5", "val.hdf5", "test.hdf5", "mean.json", "build.json"]
    assert sorted(path.name for path in (workplace / "again").iterdir()) == sorted(names)
    for name in names:
        assert (workplace / "again" / name).read_bytes() == (workplace / "output" / name).read_bytes()


def test_another_seed_gives_another_split(project, workplace, call, write_config):
    config = write_config(workplace, "SEED = 7")
    assert call("build_dogs_vs_cats", "--output", "again", "--config", config).code == 0
    assert read(workplace / "again/test.hdf5")["paths"] != read(workplace / "output/test.hdf5")["paths"]


def test_features_of_a_packed_data_set_keep_its_labels_and_paths(project, workplace, call):
    outcome = call(
        "extract_features", "--dataset", "output/test.hdf5", "--output", "test_features.hdf5",
        "--model", "output/alexnet.keras", "--batch-size", "3", "--config", project.config,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    packed, features = read(workplace / "output/test.hdf5"), read(workplace / "test_features.hdf5")
    assert features["features"].shape == (8, 4096)
    assert sorted(zip(features["paths"], features["labels"], strict=True)) == sorted(
        zip(packed["paths"], packed["labels"], strict=True)
    )
    assert features["label_names"] == packed["label_names"]


def test_features_of_resnet50(project, workplace, call):
    outcome = call(
        "extract_features", "--dataset", "output/test.hdf5", "--output", "resnet.hdf5",
        "--weights", "none", "--config", project.config,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    features = read(workplace / "resnet.hdf5")
    assert features["features"].shape == (8, 2048)
    assert np.isfinite(features["features"]).all()
    assert sorted(features["paths"]) == read(workplace / "output/test.hdf5")["paths"]


@pytest.mark.parametrize("as_module", [True, False])
def test_a_user_builds_from_the_shell(project, workplace, call_shell, as_module):
    arguments = ["-d", "images", "-o", "shell", "-j", "2", "--config", project.config]
    done = call_shell("build_dogs_vs_cats", *arguments, as_module=as_module)
    assert done.returncode == 0, done.stderr
    assert "[INFO] 40 images: 20 cat, 20 dog" in done.stdout
    for name in ("train.hdf5", "mean.json"):
        assert (workplace / "shell" / name).read_bytes() == (workplace / "output" / name).read_bytes()


def test_real_photographs_are_packed(tmp_path, monkeypatch, call, write_config):
    photographs = ROOT.parent / "shared/data/dogs_vs_cats/train"
    if not photographs.is_dir():
        pytest.skip("the photographs are not here")
    chosen = [photographs / f"{label}.{n}.jpg" for label in ("cat", "dog") for n in range(1, 21)]
    (tmp_path / "images").mkdir()
    for path in chosen:
        (tmp_path / "images" / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    outcome = call("build_dogs_vs_cats", "--config", write_config(tmp_path, "STORED_SIZE = 256"))
    assert outcome.code == 0, outcome.err
    splits = [read(tmp_path / f"output/{name}.hdf5") for name in SPLITS]
    assert sorted(path for split in splits for path in split["paths"]) == sorted(p.name for p in chosen)
    assert all(split["images"].shape[1:] == (256, 256, 3) for split in splits)
    assert all((split["images"].std(axis=(1, 2, 3)) > 10).all() for split in splits)
