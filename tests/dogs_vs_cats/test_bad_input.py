"""Every mistake of a user gets one clear line and exit code 2, and costs no file."""

import io
import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np
import pytest
from PIL import Image

from pyimagesearch.io.fileformat import metadata_checksum

ROOT = Path(__file__).resolve().parents[2]
REAL_BAD_IMAGES = ROOT.parent / "shared/data/bad_images"


def nothing(place: Path) -> None:
    """Prepare nothing: the mistake lies in the arguments or settings."""


class Mistake(NamedTuple):
    """A call of a script in a finished project, and the message that must come of it."""

    script: str
    arguments: list[str]
    message: str
    prepare: Callable[[Path], None] = nothing
    settings: str = ""


def write_noise(path: Path, size: int = 40) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(size).integers(0, 256, (size, size, 3), np.uint8)
    path.write_bytes(cv2.imencode(".jpg", image)[1])


def add_unreadable(folder: Path) -> None:
    """Put an empty, a truncated and a mistaken file among readable images."""
    for number in range(6):
        for label in ("cat", "dog"):
            write_noise(folder / f"{label}.{number}.jpg")
    (folder / "cat.empty.jpg").write_bytes(b"")
    (folder / "cat.text.jpg").write_text("no image at all\n")
    whole = (folder / "dog.0.jpg").read_bytes()
    (folder / "dog.short.jpg").write_bytes(whole[: len(whole) // 2])


def only_cats(place: Path) -> None:
    for number in range(8):
        write_noise(place / f"cats/cat.{number}.jpg")


def one_fish(place: Path) -> None:
    shutil.copytree(place / "images", place / "rare")
    write_noise(place / "rare/fish.0.jpg")


def few_features(place: Path) -> None:
    from pyimagesearch.io import HDF5DatasetWriter

    with HDF5DatasetWriter((7, 3), place / "few.hdf5", "features") as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(np.zeros((7, 3)), [0, 0, 0, 0, 0, 1, 1])


def edited(place: Path, source: str, edit: Callable[[h5py.File], None]) -> None:
    """Copy a file of the project to ``edited.hdf5`` and change it there."""
    shutil.copyfile(place / source, place / "edited.hdf5")
    with h5py.File(place / "edited.hdf5", "r+") as file:
        edit(file)
        file.attrs.modify("checksum", metadata_checksum(file))


def third_class(place: Path) -> None:
    def edit(file: h5py.File) -> None:
        del file["label_names"]
        file["label_names"] = ["bird", "cat", "dog"]

    edited(place, "output/test.hdf5", edit)


def red_first(place: Path) -> None:
    edited(place, "output/test.hdf5", lambda file: file.attrs.modify("color_order", "RGB"))


def other_build(place: Path) -> None:
    edited(place, "output/val.hdf5", lambda file: file.attrs.modify("build", "0123456789abcdef"))


def plain_model(place: Path) -> None:
    import keras

    keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Flatten()]).save(place / "plain.keras")


def text_model(place: Path) -> None:
    (place / "text.keras").write_text("no model at all\n")


def half_a_config(place: Path) -> None:
    (place / "half_config.py").write_text('IMAGES_PATH = "images"\nfrom pyimagesearch.io import label_from_name\n')


MISTAKES = {
    # step 1
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
        r"dataset: at least two classes are needed; all 8 images of cats are labelled 'cat'; LABEL_OF",
        only_cats,
    ),
    "labels that are empty": Mistake(
        "build_dogs_vs_cats",
        ["-o", "new"],
        r"LABEL_OF: must give the name of a class for every image; for cat\.0\.jpg it gave",
        settings='LABEL_OF = lambda path: ""',
    ),
    "labels that are None": Mistake(
        "build_dogs_vs_cats",
        ["-o", "new"],
        r"LABEL_OF: must give the name of a class for every image; for cat\.0\.jpg it gave",
        settings="LABEL_OF = lambda path: None",
    ),
    "more validation and test than images": Mistake(
        "build_dogs_vs_cats", ["-o", "new"],
        r"split: 30 validation, 20 test images leave -10 of 40 for training.*lower NUM_VAL_IMAGES and NUM_TEST",
        settings="NUM_VAL_IMAGES, NUM_TEST_IMAGES = 30, 20",
    ),
    "fractions above all": Mistake(
        "build_dogs_vs_cats", ["-o", "new"],
        r"split: 24 validation, 20 test images leave -4 of 40 for training.*lower NUM_VAL_IMAGES and NUM_TEST",
        settings="NUM_VAL_IMAGES, NUM_TEST_IMAGES = 0.6, 0.5",
    ),
    "no validation": Mistake(
        "build_dogs_vs_cats", ["-o", "new"],
        r"NUM_VAL_IMAGES: must be a count of images, or a fraction between 0 and 1; received 0",
        settings="NUM_VAL_IMAGES = 0",
    ),
    "class too rare": Mistake(
        "build_dogs_vs_cats", ["-d", "rare", "-o", "new"],
        r"split: every set needs an image of each of the 3 classes; received 41 images, the rarest class 1",
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
        r"output_path: images/cat\.0\.jpg/train\.hdf5 cannot be written .*; choose a place where you may write",
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
    # step 2
    "means missing": Mistake(
        "train_alexnet", ["--force"],
        r"DATASET_MEAN: output/none\.json does not exist; run build_dogs_vs_cats first, or check the config",
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
        r"builds \w{16} and 0123456789abcdef; run build_dogs_vs_cats --force",
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
    "nothing to resume": Mistake(
        "train_alexnet", ["--resume", "--epochs", "3"],
        r"model: output/none\.keras does not exist; train a model first, or check the path",
        settings='LAST_MODEL_PATH = "output/none.keras"',
    ),
    "resumed for no more epochs": Mistake(
        "train_alexnet", ["--resume"],
        r"--epochs: must exceed the 2 epochs that output/alexnet_last\.keras was trained for; received 2; ask",
    ),
    "resumed with another input": Mistake(
        "train_alexnet", ["--resume", "--epochs", "3"],
        r"--resume: output/alexnet_last\.keras must have been trained with the input .*train anew with --force",
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
        r"model: plain\.keras does not say what input it was trained with; use a model that train_alexnet saved",
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
        r"db: output/train\.hdf5 must hold features of shape \(n, d\); it holds images .*run extract_features",
    ),
    "too few features": Mistake(
        "train_model", ["--db", "few.hdf5", "--force"],
        r"db: few\.hdf5 must hold at least 2 classes of 5 rows each; it holds \[5, 2\] rows .*add images",
        few_features,
    ),
    "classifier as .txt": Mistake(
        "train_model", ["--model", "new/classifier.txt"],
        r"--model: must end in \.skops, or in \.pickle .*; received new/classifier\.txt",
    ),
    "figure exists": Mistake(
        "train_model", ["--model", "output/another.skops"],
        r"--model: output/confusion_matrix\.png exists.*--force",
    ),
    "no processes": Mistake(
        "train_model", ["--model", "new/classifier.skops", "--jobs", "0"], r"--jobs: .*received 0"
    ),
}  # fmt: skip


def only_error(stderr: str) -> str:
    """Return the line of the error: the last one, which only lines of progress may stand before."""
    *progress, error = stderr.splitlines(keepends=True)
    assert all(re.fullmatch(r"[A-Z][^:]+: \d+% \(.*\n", line) for line in progress), stderr
    assert re.fullmatch(r"\S+: error: \S.*\n", error)
    return error


def assert_refused(outcome, message: str) -> None:
    assert outcome.code == 2, outcome
    assert re.search(message, only_error(outcome.err)), outcome.err


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name, workplace, call, write_config, files_in):
    mistake = MISTAKES[name]
    mistake.prepare(workplace)
    config = write_config(workplace, mistake.settings)
    before = files_in(workplace)
    settings = [] if "--config" in mistake.arguments else ["--config", config]
    outcome = call(mistake.script, *mistake.arguments, *settings)
    assert_refused(outcome, mistake.message)
    assert files_in(workplace) == before


def test_model_that_does_not_fit_its_description(workplace, misdescribed_model, call, write_config, files_in):
    config = write_config(workplace)
    before = files_in(workplace)
    outcome = call("crop_accuracy", "--model", misdescribed_model.name, "--config", config)
    assert_refused(outcome, r"model: other\.keras takes \(None, 32, 32, 3\) .*says 64x64 pixels and 2 classes; train")
    assert files_in(workplace) == before


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
        r"broken\.hdf5 must be an HDF5 file; it is not.*check the path",
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
    "foreign": (without_rows, r"broken\.hdf5 must hold labels and one of images.*; it holds weather"),
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


SHELL_MISTAKES = {
    "build": (["build_dogs_vs_cats", "-d", "nowhere"], r"dataset: .*nowhere, which does not exist"),
    "train": (["train_alexnet"], r"DATASET_MEAN: \S+ does not exist; run build_dogs_vs_cats first"),
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
    assert re.fullmatch(rf"{script}: error: .*{message}.*\n", done.stderr)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_decoders_do_not_chatter_about_unreadable_images(tmp_path, monkeypatch, call_shell):
    add_unreadable(tmp_path / "mixed")
    monkeypatch.chdir(tmp_path)
    done = call_shell("build_dogs_vs_cats", "-d", "mixed", "-o", "new")
    assert done.returncode == 2
    assert re.match(r"build_dogs_vs_cats: error: dataset: .*cannot be read", only_error(done.stderr))


# Readable images of odd kinds: four colours in the quarters of each, which must come out upright.
QUARTERS = {"top left": (200, 30, 30), "top right": (40, 160, 60), "bottom left": (30, 50, 200),
            "bottom right": (220, 210, 40)}  # fmt: skip
PLACES = {"top left": (18, 18), "top right": (18, 54), "bottom left": (54, 18), "bottom right": (54, 54)}


def upright() -> np.ndarray:
    top = [QUARTERS["top left"], QUARTERS["top right"]]
    bottom = [QUARTERS["bottom left"], QUARTERS["bottom right"]]
    return np.kron(np.array([top, bottom], np.uint8), np.ones((48, 48, 1), np.uint8))


def in_gray(color: tuple[int, int, int]) -> tuple[int, int, int]:
    return (round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]),) * 3


def encode(image: Image.Image | np.ndarray, suffix: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))
    picture.save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()), **options)
    return buffer.getvalue()


def odd_images() -> dict[str, bytes]:
    """Return files whose display shows `upright`, some in gray, one with a transparent quarter."""
    pixels, picture = upright(), Image.fromarray(upright())
    alpha = np.full((96, 96, 1), 255, np.uint8)
    alpha[:48, :48] = 0
    gray_16bit = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    files = {
        "gray.jpg": encode(picture.convert("L"), "jpg"),
        "gray.png": encode(picture.convert("L"), "png"),
        "gray_16bit.png": encode(Image.fromarray(gray_16bit), "png"),
        "color_16bit.png": cv2.imencode(".png", pixels[..., ::-1].astype(np.uint16) * 257)[1].tobytes(),
        "alpha.png": encode(np.concatenate([pixels, alpha], axis=2), "png"),
        "palette.png": encode(picture.convert("P", palette=Image.Palette.ADAPTIVE), "png"),
        "palette.gif": encode(picture.convert("P", palette=Image.Palette.ADAPTIVE), "gif"),
        "cmyk.jpg": encode(picture.convert("CMYK"), "jpg", quality=95),
        "png_inside.jpg": encode(picture, "png"),
        "plain.bmp": encode(picture, "bmp"),
        "plain.tif": encode(picture, "tif"),
        "plain.webp": encode(picture, "webp", lossless=True),
    }
    as_stored = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
        5: pixels.transpose(1, 0, 2), 6: np.rot90(pixels), 7: np.rot90(pixels.transpose(1, 0, 2), 2),
        8: np.rot90(pixels, -1),
    }  # fmt: skip
    for orientation, stored in as_stored.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        files[f"exif_{orientation}.jpg"] = encode(stored, "jpg", exif=exif, quality=95)
    return files


ODD_IMAGES = odd_images()


def rows_of(folder: Path) -> dict[str, np.ndarray]:
    """Return all images of a build by the path of the file that they were made from."""
    rows = {}
    for name in ("train", "val", "test"):
        with h5py.File(folder / f"{name}.hdf5") as file:
            rows.update(zip(file["paths"].asstr()[:], file["images"][:], strict=True))
    return rows


@pytest.fixture(scope="module")
def odd_rows(tmp_path_factory, call, write_config):
    folder = tmp_path_factory.mktemp("odd")
    for number in range(10):
        write_noise(folder / f"images/plain.{number}.jpg")
    for name, data in ODD_IMAGES.items():
        (folder / "images" / f"odd.{name}").write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outcome = call("build_dogs_vs_cats", "--config", write_config(folder))
    assert outcome.code == 0, outcome.err
    return rows_of(folder / "output")


@pytest.mark.parametrize("name", ODD_IMAGES)
def test_odd_but_readable_images_become_upright_rows_of_three_channels(name, odd_rows):
    row = odd_rows[f"odd.{name}"]
    assert row.shape == (72, 72, 3)
    assert row.dtype == np.uint8
    for quarter, color in QUARTERS.items():
        expected = in_gray(color) if name.startswith("gray") else color
        if name == "alpha.png" and quarter == "top left":
            expected = (255, 255, 255)
        r, g, b = expected
        assert row[PLACES[quarter]].tolist() == pytest.approx((b, g, r), abs=6), quarter


@pytest.mark.skipif(not REAL_BAD_IMAGES.is_dir(), reason="the images from real folders are not here")
def test_images_from_real_folders(workplace, call, write_config):
    shutil.copytree(REAL_BAD_IMAGES, workplace / "real", copy_function=shutil.copyfile)
    (workplace / "real").chmod(0o755)
    for number in range(10):
        write_noise(workplace / f"real/noise_{number}.jpg")
    label_of = 'LABEL_OF = lambda path: "noise" if "noise" in path else "real"'
    config = write_config(workplace, label_of)
    stopped = call("build_dogs_vs_cats", "-d", "real", "-o", "new", "--config", config)
    assert_refused(stopped, r"dataset: \d+ of 30 images in real cannot be read")
    outcome = call("build_dogs_vs_cats", "-d", "real", "-o", "new", "--on-error", "skip", "--config", config)
    assert outcome.code == 0, outcome.err
    skipped = json.loads((workplace / "new/build.json").read_text())["skipped"]
    assert skipped.keys() == {
        "broken_data_stream.png", "decompression_bomb.gif", "text_named.jpg", "truncated_dog.100.jpg",
        "truncated_jpeg.jpg", "zero_byte.jpg",
    }  # fmt: skip
    rows = rows_of(workplace / "new")
    assert {row.shape for row in rows.values()} == {(72, 72, 3)}
    for turned in ("Landscape_3.jpg", "Landscape_6.jpg", "Landscape_8.jpg"):
        difference = rows[turned].astype(int) - rows["Landscape_1.jpg"]
        assert np.abs(difference).mean() < 8
    gray = rows["hopper_gray.jpg"]
    assert (gray == gray[..., :1]).all()
    assert gray.std() > 10
