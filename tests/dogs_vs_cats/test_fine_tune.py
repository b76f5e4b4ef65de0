"""Fine-tuning from the files of step 1, on a network so small that it has nothing to know."""

import contextlib
import json
import re
import sys

import numpy as np
import pytest

from pyimagesearch.errors import UserError

NETWORK = ["--weights", "none", "--alpha", "0.25", "--size", "32", "--layer", "conv_pw_3_relu"]
TWO_STAGES = [
    *NETWORK,
    "--head",
    "8,6",
    "--dropout",
    "0.4",
    "--batch-norm",
    "--warm-up",
    "1",
    "-e",
    "2",
    "--freeze",
    "20",
]
BATCHES = ["-b", "8", "--class-weight", "balanced", "--learning-rate", "0.01", "--fine-tune-rate", "0.001"]


@pytest.fixture(scope="module")
def build(tmp_path_factory, images, write_config, copy_project, call):
    """Return a folder with the files of step 1 and the name of its config."""
    folder = tmp_path_factory.mktemp("build")
    copy_project(images, folder / "images")
    config = write_config(folder)
    with contextlib.chdir(folder):
        assert call("build_dogs_vs_cats", "--config", config).code == 0
    return folder, config


@pytest.fixture
def place(build, tmp_path, copy_project, monkeypatch):
    """Return the arguments for a config in a copy of the build, the working directory."""
    copy_project(build[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    return ["--config", build[1]]


@pytest.fixture(scope="module")
def tuned(build, call):
    """Return what a run in two stages gave; its files lie beside those of step 1."""
    with contextlib.chdir(build[0]):
        yield call("fine_tune", *TWO_STAGES, *BATCHES, "--config", build[1])


def test_both_stages_are_run_and_told(tuned, build):
    assert tuned.code == 0, tuned.err
    assert tuned.err == ""
    assert "[INFO] images of 72 pixels" not in tuned.out
    assert "[INFO] epochs 1 to 1 train the head alone, at a rate of 0.01\n" in tuned.out
    assert "[INFO] epochs 2 to 3 train the head and the last 3 of 23 layers, at a rate of 0.001\n" in tuned.out
    names = [
        "fine_tuned.keras", "fine_tuned_last.keras", "fine_tuned.png", "fine_tuned.json", "fine_tuned_speed.json",
    ]  # fmt: skip
    assert [path.name for path in tuned.result["files"]] == names
    assert all((build[0] / path).is_file() for path in tuned.result["files"])
    history = tuned.result["history"]
    curves = json.loads((build[0] / "output/fine_tuned.json").read_text())
    assert {name: history[name] for name in curves} == curves
    assert len(history["val_loss"]) == 3
    assert tuned.result["val_accuracy"] == max(history["val_accuracy"])


def test_a_network_may_be_larger_than_the_stored_images(place, call):
    larger = [*NETWORK[:4], "--size", "96", "--layer", "conv_pw_3_relu", "--warm-up", "1", "-e", "0", "--freeze", "all"]
    outcome = call("fine_tune", *larger, "-o", "large.keras", *place)
    assert outcome.code == 0, outcome.err
    assert "[INFO] images of 72 pixels are enlarged to 96" in outcome.out
    crops = call("crop_accuracy", "--model", "large.keras", *place)
    assert crops.code == 0, crops.err
    assert crops.result["images"] == 8


def test_the_model_works_in_the_other_scripts(tuned, place, call):
    model = ["--model", "output/fine_tuned.keras"]
    crops = call("crop_accuracy", *model, *place)
    assert crops.code == 0, crops.err
    assert crops.result["images"] == 8
    features = call("extract_features", *model, *place)
    assert features.code == 0, features.err
    assert features.result["features"] == 6


def test_the_same_command_gives_the_same_model(tuned, build, place, call, tmp_path):
    from pyimagesearch.nn.modelfile import load_model

    again = call("fine_tune", *TWO_STAGES, *BATCHES, "--force", *place)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
        assert again.result["history"][name] == tuned.result["history"][name]
    models = [load_model(folder / "output/fine_tuned_last.keras")[0] for folder in (build[0], tmp_path)]
    for weights in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(*weights)


def test_more_epochs_continue_from_the_last_one(tuned, place, call):
    more = [word if word != "2" else "3" for word in TWO_STAGES]
    resumed = call("fine_tune", *more, *BATCHES, "--resume", *place)
    assert resumed.code == 0, resumed.err
    history = resumed.result["history"]
    assert history["loss"][:3] == tuned.result["history"]["loss"]
    assert len(history["loss"]) == 4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--dropout", "0.3"], "--resume: .* must have been trained with the input and the batches"),
        (["--freeze", "19"], "--resume: .* must have been trained with the input and the batches"),
        ([], "--epochs: must exceed the 3 epochs that .* was trained for; received 3"),
    ],
)
def test_a_finished_or_another_training_cannot_be_resumed(tuned, place, call, changed, message):
    outcome = call("fine_tune", *TWO_STAGES, *BATCHES, "--resume", *changed, *place)
    assert outcome.code == 2
    assert re.search(message, outcome.err)


def test_a_frozen_network_is_said_to_be_slower_than_features_and_images_to_be_enlarged(place, call):
    options = ["--size", "80", "--freeze", "all", "--warm-up", "0", "-e", "1", "-o", "head.keras"]
    outcome = call("fine_tune", *NETWORK, *options, *place)
    assert outcome.code == 0, outcome.err
    assert "[INFO] images of 72 pixels are enlarged to 80" in outcome.out
    assert "extract_features and train_model are much faster at that" in outcome.out
    assert "epochs 1 to 1 train the head alone, at a rate of 0.001\n" in outcome.out


@pytest.mark.parametrize("script", ["train_alexnet", "fine_tune"])
@pytest.mark.parametrize(("option", "weight"), [((), "balanced"), (("--class-weight", "none"), None)])
def test_the_config_weights_the_classes(place, call, monkeypatch, script, option, weight):
    def spy(*_, class_weight, **__):
        raise UserError(f"spied {class_weight}")

    monkeypatch.setattr("pyimagesearch.io.HDF5DatasetGenerator", spy)
    monkeypatch.setattr(sys.modules[place[1]], "CLASS_WEIGHT", "balanced", raising=False)
    assert f"error: spied {weight}\n" in call(script, "--force", *option, *place).err


def test_it_stops_early(place, call, monkeypatch):
    from pyimagesearch.callbacks.earlystop import EarlyStop

    monkeypatch.setattr(EarlyStop, "reached", property(lambda stop: len(stop._history.get("val_loss", [])) == 2))
    outcome = call("fine_tune", *NETWORK, "--warm-up", "1", "-e", "5", "-p", "1", "-o", "short.keras", *place)
    assert len(outcome.result["history"]["loss"]) == 2
    assert " of 2\n" in outcome.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--freeze", "most"], "freeze: must be all, a number of layers from 0 to 23, or the name of a layer"),
        (["--layer", "block3_pool"], "layer: must be a layer of mobilenet"),
        (["--model", "mobile"], "model: must be one of resnet50"),
        (["--model", "vgg16"], "alpha: must be given for MobileNets only; received 0.25 for VGG16"),
        (["--alpha", "-1"], "--alpha: must be a number above 0, the width of a MobileNet as a factor; received -1.0"),
        (["--size", "8"], "size, alpha: MobileNet cannot be made for images of 8x8 pixels"),
        (["--weights", "absent.h5"], "weights: must be imagenet, none or a file; received absent.h5"),
        (["--head", "64,0"], "--head: must be at least 1; received 0"),
        (["--head", "wide"], "--head: invalid positive_ints value: 'wide'"),
        (["--dropout", "1"], "--dropout: must be at least 0 and below 1; received 1"),
        (["--learning-rate", "0"], "--learning-rate: must be a number above 0; received 0"),
        (["--fine-tune-rate", "nan"], "--fine-tune-rate: must be a number above 0; received nan"),
        (["--warm-up", "-1"], "--warm-up: must be at least 0; received -1"),
        (["--warm-up", "0", "-e", "0"], "--epochs: must be at least 1; received 0"),
        (["--class-weight", "rare"], "--class-weight: invalid choice: 'rare'"),
        (["-o", "model.h5"], "--output: must end in .keras, the format of Keras 3; received model.h5"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(place, call, files_in, tmp_path, options, message):
    before = files_in(tmp_path)
    outcome = call("fine_tune", *NETWORK, "-o", "new.keras", *place, *options)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("name", ["mine.keras", "mine_last.keras"])
def test_an_existing_model_is_kept_unless_forced(place, call, tmp_path, name):
    (tmp_path / name).write_text("precious")
    outcome = call("fine_tune", *NETWORK, "-o", "mine.keras", *place)
    assert outcome.code == 2
    assert f"--output: {name} exists" in outcome.err
    assert (tmp_path / name).read_text() == "precious"


def test_gray_images_are_refused(place, call, write_dataset, tmp_path):
    for name in ("train", "val"):
        (tmp_path / f"output/{name}.hdf5").unlink()
        write_dataset(np.zeros((4, 40, 40, 1), np.uint8), name=f"output/{name}.hdf5")
    outcome = call("fine_tune", *NETWORK, "-o", "gray.keras", *place)
    assert outcome.code == 2
    assert "TRAIN_HDF5: output/train.hdf5 must hold images of 3 channels" in outcome.err
    assert "set CHANNELS = 3 in the config and build it again" in outcome.err
