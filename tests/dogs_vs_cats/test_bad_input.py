"""Every mistake after the build gets one clear line and exit code 2, and costs no file."""

import os
import socket
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.dogs_vs_cats.mistakes import Mistake, add_unreadable, assert_refused, check, edited, only_cats, plain_model


def few_features(place: Path) -> None:
    from pyimagesearch.io import HDF5DatasetWriter

    with HDF5DatasetWriter((7, 3), place / "few.hdf5", "features") as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(np.zeros((7, 3)), [0, 0, 0, 0, 0, 1, 1])


def third_class(place: Path) -> None:
    def edit(file: h5py.File) -> None:
        del file["label_names"]
        file["label_names"] = ["bird", "cat", "dog"]

    edited(place, "output/test.hdf5", edit)


def red_first(place: Path) -> None:
    edited(place, "output/test.hdf5", lambda file: file.attrs.modify("color_order", "RGB"))


def other_build(place: Path) -> None:
    edited(place, "output/val.hdf5", lambda file: file.attrs.modify("build", "0123456789abcdef"))


def text_model(place: Path) -> None:
    (place / "text.keras").write_text("no model at all\n")


MISTAKES = {
    # step 2
    "means missing": Mistake(
        "train_alexnet", ["--force"],
        r"DATASET_MEAN: output/none\.json does not exist; build the data set first, or check the path",
        settings='DATASET_MEAN = "output/none.json"',
    ),
    "means that are none": Mistake(
        "train_alexnet", ["--force"],
        r"DATASET_MEAN: output/build\.json must be JSON with the numbers R, G and B; it is not .*build",
        settings='DATASET_MEAN = "output/build.json"',
    ),
    "splits of two builds": Mistake(
        "train_alexnet", ["--force"],
        r"data set: output/train\.hdf5 and edited\.hdf5 must come from one run of the build step.*received "
        r"builds \w{16} and 0123456789abcdef; build them together",
        other_build, 'VAL_HDF5 = "edited.hdf5"',
    ),
    "patch larger than the images": Mistake(
        "train_alexnet", ["--force"],
        r"PatchPreprocessor: a window of 80x80 .*must fit into the image; received an image of 72x72; make",
        settings="INPUT_SIZE = 80",
    ),
    "input too small for AlexNet": Mistake(
        "train_alexnet", ["--force"], r"AlexNet.* at least \d+ pixels; received 20x20",
        settings="INPUT_SIZE = 20",
    ),
    "augmentation out of range": Mistake(
        "train_alexnet", ["--force"], r"rotation_range: must be a number, at least 0; received -5",
        settings='AUGMENTATION = {"rotation_range": -5}',
    ),
    "augmentation unknown": Mistake(
        "train_alexnet", ["--force"], r"rotation_rage",
        settings='AUGMENTATION = {"rotation_rage": 5}',
    ),
    "decay unknown": Mistake(
        "train_alexnet", ["--force"], r"LEARNING_RATE_DECAY: .*received '?linaer",
        settings='LEARNING_RATE_DECAY = "linaer"; EPOCHS = 1',
    ),
    "training on features": Mistake(
        "train_alexnet", ["--force"], r"output/features\.hdf5 .*features",
        settings='TRAIN_HDF5 = VAL_HDF5 = "output/features.hdf5"',
    ),
    "model to write is no .keras": Mistake(
        "train_alexnet", ["--model", "new/alexnet.hdf5"],
        r"--model: must end in \.keras.*received new/alexnet\.hdf5",
        settings='LAST_MODEL_PATH = "new/last.keras"; EPOCHS = 1',
    ),
    "resumed for no more epochs": Mistake(
        "train_alexnet", ["--resume"],
        r"EPOCHS: must exceed the 2 epochs that output/alexnet_last\.keras was trained for; received 2; ask",
    ),
    "resumed with another input": Mistake(
        "train_alexnet", ["--resume", "--epochs", "3"],
        r"--resume: output/alexnet_last\.keras must have been trained with the input .*; it was trained with",
        settings="INPUT_SIZE = 68",
    ),
    # step 3
    "model missing": Mistake(
        "crop_accuracy", ["--model", "none.keras"],
        r"model: none\.keras does not exist; train a model first, or check the path",
    ),
    "model is no .keras file": Mistake(
        "crop_accuracy", ["--model", "text.keras"], r"model: text\.keras must be a \.keras file; it is not",
        text_model,
    ),
    "model saved by Keras alone": Mistake(
        "crop_accuracy", ["--model", "plain.keras"],
        r"model: plain\.keras does not say what input it was trained with; use a model that this package trained",
        plain_model,
    ),
    "data of other classes": Mistake(
        "crop_accuracy", ["--model", "small.keras", "--dataset", "edited.hdf5"],
        r"data set: edited\.hdf5 must have the channel order and classes .*'bird', 'cat', 'dog'.*; use",
        third_class,
    ),
    "data of other channels": Mistake(
        "crop_accuracy", ["--model", "small.keras", "--dataset", "edited.hdf5"],
        r"data set: edited\.hdf5 must have the channel order and classes .*received \('RGB'.*; use",
        red_first,
    ),
    "testing on features": Mistake(
        "crop_accuracy", ["--model", "small.keras", "--dataset", "output/features.hdf5"],
        r"output/features\.hdf5 .*features",
    ),
    # step 4
    "backbone unknown": Mistake(
        "extract_features", ["--model", "resnet5000", "-o", "new.hdf5"],
        r"model: must be one of resnet50.*or a \.keras file; received 'resnet5000'",
    ),
    "weights missing": Mistake(
        "extract_features", ["--weights", "none.h5", "-o", "new.hdf5"],
        r"weights: must be imagenet, none or a file; received none\.h5, which does not exist",
    ),
    "weights of something else": Mistake(
        "extract_features", ["--weights", "output/features.hdf5", "-o", "new.hdf5"],
        r"weights: output/features\.hdf5 does not fit ResNet50",
    ),
    "network missing": Mistake(
        "extract_features", ["--model", "none.keras", "-o", "new.hdf5"], r"model: none\.keras does not exist"
    ),
    "network saved by Keras alone": Mistake(
        "extract_features", ["--model", "plain.keras", "-o", "new.hdf5"],
        r"model: plain\.keras does not say what input it was trained with",
        plain_model,
    ),
    "features of features": Mistake(
        "extract_features", ["-d", "output/features.hdf5", "-o", "new.hdf5"],
        r"dataset: output/features\.hdf5 must hold images of shape .*; it holds features of shape \(40, 4096\)",
    ),
    "features of no folder": Mistake(
        "extract_features", ["-d", "nowhere", "-o", "new.hdf5"],
        r"dataset: must be a folder of images; received nowhere, which does not exist; check the path",
    ),
    "features of one class": Mistake(
        "extract_features", ["-d", "cats", "-o", "new.hdf5"], r"dataset: at least two classes are needed",
        only_cats,
    ),
    "features of unreadable images": Mistake(
        "extract_features", ["-d", "mixed", "-o", "new.hdf5", "--model", "small.keras"],
        r"image: mixed/(cat\.empty|cat\.text|dog\.short)\.jpg cannot be read: ",
        lambda place: add_unreadable(place / "mixed"),
    ),
    # step 5
    "features that are images": Mistake(
        "train_model", ["--db", "output/train.hdf5", "--force"],
        r"--dataset: output/train\.hdf5 must hold features of shape \(n, d\); it holds images .*extract features first",
    ),
    "too few features": Mistake(
        "train_model", ["--db", "few.hdf5", "--force"],
        r"--dataset: few\.hdf5 must hold at least 2 classes of 5 rows each; it holds 2; the rarest, 'dog', has 2; add",
        few_features,
    ),
    "classifier as .txt": Mistake(
        "train_model", ["--model", "new/classifier.txt"],
        r"--model: must end in \.skops, or in \.pickle .*; received new/classifier\.txt",
    ),
    "figure exists": Mistake(
        "train_model", ["--model", "output/classifier.pickle"],
        r"--model: output/classifier_confusion_matrix\.png exists.*--force",
    ),
    "no processes": Mistake(
        "train_model", ["--model", "new/classifier.skops", "--jobs", "0"], r"--jobs: .*received 0"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name, workplace, call, write_config, files_in):
    check(MISTAKES[name], workplace, call, write_config, files_in)


def test_model_that_does_not_fit_its_description(workplace, misdescribed_model, call, write_config, files_in):
    config = write_config(workplace)
    before = files_in(workplace)
    outcome = call("crop_accuracy", "--model", misdescribed_model.name, "--config", config)
    assert_refused(outcome, r"model: other\.keras takes \(None, 32, 32, 3\) .*says 64x64 pixels and 2 classes; train")
    assert files_in(workplace) == before


def test_no_network_and_no_weights_is_said_plainly(workplace, call, write_config, files_in, monkeypatch):
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    if list((home / "models").glob("resnet50*notop*")):
        pytest.skip("the weights of ResNet50 are on this disk")

    def no_network(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    config = write_config(workplace)
    before = files_in(workplace)
    outcome = call("extract_features", "-o", "new.hdf5", "--config", config)
    assert_refused(
        outcome,
        r"weights: the ImageNet weights of ResNet50 are not in \S+ and could not be downloaded .*"
        r"connect to the internet once, pass --weights FILE, or --model FILE\.keras",
    )
    assert files_in(workplace) == before
