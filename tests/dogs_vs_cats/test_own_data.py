"""Data of one's own: a folder for each of three classes, and a config that states what differs."""

import contextlib
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import skops.io

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ["bird", "cat", "dog"]
SCRIPTS = ["build_dogs_vs_cats", "train_alexnet", "crop_accuracy", "extract_features", "train_model"]
README = (ROOT / "README.md").read_text("utf-8")


def readme_block(mark, language):
    """Return the lines of the code block behind a mark in README.md."""
    return re.search(rf"<!-- {mark} -->\n```{language}\n(.*?)```", README, re.DOTALL)[1].splitlines()


def test_readme_names_the_scripts_in_their_order():
    commands = [line.split() for line in readme_block("commands", "console")]
    assert [command[3] for command in commands] == [f"dogs_vs_cats.{name}" for name in SCRIPTS]
    assert all(command[4:6] == ["--config", "config.pets_config"] for command in commands)
    assert commands[3][6:] == ["--model", "output/pets/alexnet.keras"]


@pytest.fixture(scope="module")
def pets(tmp_path_factory, draw, call):
    """Run all five scripts on three folders of ten images; older models lie in the way."""
    folder = tmp_path_factory.mktemp("own_data")
    for label in CLASSES:
        for number in range(10):
            draw(folder / f"pets/{label}/{number}.jpg", label, number)
    (folder / "pets_config.py").write_text("\n".join(readme_block("settings", "python")), "utf-8")
    for name in ("alexnet", "alexnet_last"):
        path = folder / f"output/pets/{name}.keras"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("an older model")
    settings = ["--config", "pets_config"]
    steps = {}
    with contextlib.chdir(folder):
        steps["build"] = call("build_dogs_vs_cats", *settings)
        steps["refused"] = call("train_alexnet", *settings)
        steps["old"] = (folder / "output/pets/alexnet.keras").read_text("utf-8")
        steps["train"] = call("train_alexnet", "--force", *settings)
        steps["crops"] = call("crop_accuracy", *settings)
        steps["features"] = call("extract_features", "--model", "output/pets/alexnet.keras", *settings)
        steps["classify"] = call("train_model", *settings)
    yield folder, steps
    shutil.rmtree(folder)


@pytest.mark.parametrize("step", ["build", "train", "crops", "features", "classify"])
def test_every_step_succeeds(pets, step):
    outcome = pets[1][step]
    assert outcome.code == 0, outcome.err


def test_labels_are_the_names_of_the_folders(pets):
    folder, steps = pets
    assert "[INFO] 30 images: 10 bird, 10 cat, 10 dog" in steps["build"].out
    paths = []
    for name, count in (("train", 6), ("val", 2), ("test", 2)):
        with h5py.File(folder / f"output/pets/{name}.hdf5") as file:
            labels = file["label_names"].asstr()[:][file["labels"][:]].tolist()
            of_split = file["paths"].asstr()[:].tolist()
        assert labels == [path.split("/")[0] for path in of_split]
        assert Counter(labels) == dict.fromkeys(CLASSES, count)
        paths += of_split
    assert sorted(paths) == sorted(f"{label}/{number}.jpg" for label in CLASSES for number in range(10))


def test_older_models_are_replaced_only_when_forced(pets):
    folder, steps = pets
    assert steps["refused"].code == 2
    assert re.search(r"output/pets/alexnet\.keras exists.*--force", steps["refused"].err)
    assert steps["old"] == "an older model"
    for name in ("alexnet.keras", "alexnet_last.keras"):
        assert (folder / "output/pets" / name).stat().st_size > 1_000_000


def test_the_network_tells_three_classes_apart(pets):
    import keras

    folder, steps = pets
    model = keras.saving.load_model(folder / "output/pets/alexnet.keras")
    assert model.output_shape == (None, 3)
    assert "categorical_crossentropy" in str(model.get_compile_config()["loss"])
    history = json.loads((folder / "output/pets/alexnet.json").read_text())
    assert {len(values) for values in history.values()} == {1}
    assert cv2.imread(str(folder / "output/pets/alexnet.png")) is not None
    assert steps["crops"].result["images"] == 6
    sixths = np.arange(7) / 6
    assert np.isclose(steps["crops"].result["rank1"], sixths).any()
    assert np.isclose(steps["crops"].result["rank1_crops"], sixths).any()
    assert "rank-5" not in steps["crops"].out


def test_logistic_regression_knows_the_three_classes(pets):
    folder, steps = pets
    classifier = skops.io.load(folder / "output/pets/classifier.skops", trusted=[])
    assert list(classifier.classes_) == CLASSES
    with h5py.File(folder / "output/pets/features.hdf5") as file:
        features = file["features"][:]
        names = file["label_names"].asstr()[:][file["labels"][:]]
        assert [path.split("/")[0] for path in file["paths"].asstr()[:]] == names.tolist()
    assert features.shape == (30, 4096)
    assert (classifier.predict(features) == names).mean() > 0.4
    assert steps["classify"].result["images"] == 8
