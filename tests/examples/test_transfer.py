"""The tutorials on transfer learning, each on a few drawings and a network without its weights."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.nn.modelfile import load_model
from tests.conftest import SHARED_DATA

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ["policy", "cifar10_transfer", "dog_breeds", "cat_dog_or_other", "is_it_this_bird"]
NARROW = ["--weights", "none", "--alpha", "0.25", "--size", "32"]
TRAINED = SHARED_DATA / "weights/mobilenet_7_5_224_tf.h5"
MODEL_FILES = ["model.keras", "training.png", "training.json", "confusion_matrix.png"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Return a folder of 24 noisy images in three classes, dark, gray and bright, as a folder each and as a list."""
    folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    lines = ["id,breed"]
    (folder / "list/train").mkdir(parents=True)
    for number, label in enumerate(["akita", "beagle", "collie"]):
        (folder / "folders" / label).mkdir(parents=True)
        for index in range(8):
            image = rng.integers(0, 80, (40, 50, 3)) + 85 * number
            name = f"{label[0]}{index}"
            cv2.imwrite(str(folder / f"folders/{label}/{name}.png"), image.astype(np.uint8))
            shutil.copy(folder / f"folders/{label}/{name}.png", folder / "list/train")
            lines.append(f"{name},{label}")
    (folder / "list/labels.csv").write_text("\n".join(lines))
    return folder


def rows(path):
    with h5py.File(path) as file:
        return len(file["labels"])


def test_policy_on_the_sample(call, tmp_path):
    outcome = call("policy", "-d", "sample", *NARROW, "-e", "2", "-o", tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 20
    assert [rows(tmp_path / f"{name}.hdf5") for name in ("train", "test")] == [60, 20]
    names = ["train.hdf5", "test.hdf5", *MODEL_FILES]
    assert outcome.result["files"] == [tmp_path / name for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "sample"])
    assert "precision" in outcome.out
    assert "confusion matrix (rows: cat, dog)\n[[" in outcome.out
    assert "as shares of each row\n[[" in outcome.out
    assert "published: 60 of 60" in outcome.out
    model, preparation = load_model(tmp_path / "model.keras")
    assert preparation.label_names == ["cat", "dog"]
    dense = [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert dense == [1024, 1024, 512, 2]
    learning = [layer.name for layer in model.layers[1:20] if layer.trainable and layer.weights]
    assert not learning
    assert model.get_layer("conv_dw_4").trainable
    assert len(outcome.result["history"]["loss"]) == 2


def test_folders_train_and_test_are_kept_apart(call, photographs, tmp_path):
    for split, count in (("Train", 5), ("Test", 3)):
        for folder in (photographs / "folders").iterdir():
            target = tmp_path / "data" / split / folder.name
            target.mkdir(parents=True)
            for file in sorted(folder.iterdir())[:count]:
                shutil.copy(file, target)
    output = tmp_path / "output"
    outcome = call("policy", "-d", tmp_path / "data", *NARROW, "-e", "1", "-o", output)
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 9
    with h5py.File(output / "test.hdf5") as file:
        assert {path.split("/")[0] for path in file["paths"].asstr()} == {"Test"}
        assert file["label_names"].asstr()[:].tolist() == ["akita", "beagle", "collie"]


def test_dog_breeds_from_a_list_learns_and_tests_on_other_images(call, photographs, tmp_path):
    options = ["--model", "mobilenet", *NARROW, "-e", "2", "-o", tmp_path]
    outcome = call("dog_breeds", "-d", photographs / "list/labels.csv", *options)
    assert outcome.code == 0, outcome.err
    splits = [tmp_path / f"{name}.hdf5" for name in ("train", "val", "test")]
    assert [rows(path) for path in splits] == [13, 3, 8]
    paths = []
    for path in splits:
        with h5py.File(path) as file:
            paths += file["paths"].asstr()[:].tolist()
            assert len(set(file["labels"][:].tolist())) == 3
    assert len(set(paths)) == 24
    assert len(outcome.result["history"]["val_loss"]) == 2
    assert 0 <= outcome.result["f1"] <= 1
    assert FeatureExtractor.from_model(tmp_path / "model.keras").features == 512
    model = load_model(tmp_path / "model.keras")[0]
    assert {layer.name for layer in model.layers if layer.trainable_weights} == {
        "head_dense_1", "head_dense_2", "head_classes",
    }  # fmt: skip


def test_cifar_goes_on_the_third_block_of_vgg16(call, patterns, tmp_path):
    few = {name: array[:40] for name, array in patterns.items()}
    np.savez(tmp_path / "cifar.npz", **few)
    outcome = call("cifar10_transfer", "-d", tmp_path / "cifar.npz", "-w", "none", "-e", "1", "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 40
    model, preparation = load_model(tmp_path / "out/model.keras")
    assert (preparation.width, preparation.means["R"]) == (48, 123.68)
    head = [type(layer).__name__ for layer in model.layers[-6:]]
    assert head == ["GlobalAveragePooling2D", "BatchNormalization", "Dense", "Dense", "Dropout", "Dense"]
    assert model.get_layer("head_pool").input.shape == (None, 6, 6, 256)
    assert model.get_layer("head_dropout").rate == pytest.approx(0.6)


def test_a_third_class_and_augmented_images_to_look_at(call, tmp_path):
    look = tmp_path / "look"
    options = ["-d", "sample", *NARROW, "-e", "1", "-o", tmp_path / "out", "--save-augmented", look]
    outcome = call("cat_dog_or_other", *options)
    assert outcome.code == 0, outcome.err
    assert load_model(tmp_path / "out/model.keras")[1].label_names == ["cat", "dog", "neither"]
    saved = [cv2.imread(str(path)) for path in sorted(look.iterdir())]
    assert len(saved) == 32
    with h5py.File(tmp_path / "out/train.hdf5") as file:
        assert {image.shape for image in saved} == {(32, 32, 3)}
        assert len(file["labels"]) == 90
    assert "[INFO] wrote 32 augmented images to " in outcome.out


def test_is_it_this_bird_without_photographs(call, photographs, tmp_path):
    outcome = call("is_it_this_bird", "-d", photographs / "folders", *NARROW, "-e", "1", "-o", tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 6
    assert "what MobileNet sees" not in outcome.out


@pytest.mark.skipif(not TRAINED.is_file(), reason="the weights are not on this machine")
def test_photographs_are_named_before_and_after(call, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/imagenet_class_index.json").symlink_to(SHARED_DATA / "weights/imagenet_class_index.json")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", None)
    photographs = SHARED_DATA / "dogs_vs_cats/train"
    for label in ("cat", "dog"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(1, 41):
            shutil.copy(photographs / f"{label}.{number}.jpg", tmp_path / "data" / label)
    names = [photographs / "cat.300.jpg", photographs / "dog.300.jpg"]
    options = ["-d", tmp_path / "data", "-w", TRAINED, "-a", "0.75", "-s", "160", "-e", "5", "-o", tmp_path / "out"]
    outcome = call("is_it_this_bird", *names, *options)
    assert outcome.code == 0, outcome.err
    before, after = outcome.out.split("what it sees now\n")
    assert before.count("dogs_vs_cats/train") == 2
    assert f"{names[0]}: tabby 0.4" in before
    assert f"{names[0]}: cat " in after
    assert f"{names[1]}: dog " in after
    assert outcome.result["accuracy"] >= 0.75


@pytest.mark.parametrize("file", ["train.hdf5", "model.keras"])
def test_files_of_an_earlier_run_are_kept_unless_forced(call, photographs, tmp_path, file):
    (tmp_path / file).write_text("precious")
    options = ["-d", photographs / "folders", *NARROW, "-e", "1", "-o", tmp_path]
    outcome = call("is_it_this_bird", *options)
    assert outcome.code == 2
    assert f"--output: {tmp_path / file} exists" in outcome.err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_classes_with_too_few_images_are_named(call, photographs, tmp_path):
    for folder in (photographs / "folders").iterdir():
        (tmp_path / "data" / folder.name).mkdir(parents=True)
        shutil.copy(next(folder.iterdir()), tmp_path / "data" / folder.name)
    outcome = call("dog_breeds", "-d", tmp_path / "data", *NARROW, "-o", tmp_path / "out")
    assert outcome.code == 2
    assert "must hold enough images of each class for all sets; it holds 3, the rarest class 1" in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "required: -d/--data"),
        (["-d", "absent"], "dataset: must be a folder of images; received absent, which does not exist"),
        (["-d", "sample", "--seed", "-1"], "--seed: must be a whole number from 0 to 4294967295; received -1"),
    ],
)
def test_wrong_options(call, tmp_path, options, message):
    outcome = call("cat_dog_or_other", "-o", tmp_path, *options)
    assert outcome.code == 2
    assert message in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_waits_for_no_keras_wherever_the_script_is_called_from(script, tmp_path):
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-X", "importtime", str(ROOT / "examples" / f"{script}.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=outside, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"--data", "--weights", "--epochs", "--seed"} <= set(done.stdout.replace(",", " ").split())
    assert not {"keras", "numpy", "h5py"} & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
