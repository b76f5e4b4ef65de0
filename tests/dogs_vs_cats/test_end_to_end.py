"""The five scripts in a row on forty drawings: their files, what they print, and running them again."""

import contextlib
import io
import json
import pickle
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import skops.io

ROOT = Path(__file__).resolve().parents[2]
SPLITS = {"train": 24, "val": 8, "test": 8}


def read(path: Path) -> dict:
    """Return all of an HDF5 file that says what its rows are."""
    with h5py.File(path) as file:
        content = {name: file[name][:] for name in file if name not in ("paths", "label_names")}
        for name in ("paths", "label_names"):
            content[name] = file[name].asstr()[:].tolist()
        content["attributes"] = dict(file.attrs)
    return content


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


def as_input(folder: Path, images: Iterable[np.ndarray]) -> np.ndarray:
    """Return images, resized to the network's input and without the training images' mean colour."""
    means = json.loads((folder / "output/mean.json").read_text())
    resized = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) for image in images]
    return np.array(resized, np.float32) - np.array([means["B"], means["G"], means["R"]], np.float32)


def best_epoch(history: dict[str, list[float]]) -> int:
    """Return the number, from 0, of the epoch with the highest accuracy; of several, that of the lowest loss."""
    scores = [(a, -loss) for a, loss in zip(history["val_accuracy"], history["val_loss"], strict=True)]
    return scores.index(max(scores))


def is_picture(path: Path) -> bool:
    image = cv2.imread(str(path))
    return image is not None and min(image.shape[:2]) > 100 and image.std() > 1


@pytest.mark.parametrize("step", ["build", "train", "crops", "features", "classify"])
def test_every_step_succeeds_and_tells_its_story(project, step):
    outcome = project.steps[step]
    assert outcome.code == 0, outcome.err
    chapters = re.findall(r"^\[INFO\] \S.*", outcome.out, re.MULTILINE)
    assert len(chapters) >= 3
    for path in outcome.result.get("files", ()):
        assert (project.folder / path).is_file()
        assert f"[INFO] wrote {path} (" in outcome.out


def test_no_unfinished_file_is_left(project):
    assert not list(project.folder.rglob("*.partial*"))


def test_build_puts_every_image_once_into_one_split(project):
    splits = {name: read(project.folder / f"output/{name}.hdf5") for name in SPLITS}
    assert {name: len(split["paths"]) for name, split in splits.items()} == SPLITS
    every_path = [path for split in splits.values() for path in split["paths"]]
    assert sorted(every_path) == sorted(path.name for path in (project.folder / "images").iterdir())
    for split in splits.values():
        assert split["label_names"] == ["cat", "dog"]
        of_labels = [split["label_names"][label] for label in split["labels"]]
        assert of_labels == [path.split(".")[0] for path in split["paths"]]
        cats, dogs = Counter(of_labels).values()
        assert cats == dogs


def test_build_stores_the_pixels_of_the_named_file(project):
    test = read(project.folder / "output/test.hdf5")
    assert test["images"].shape == (8, 72, 72, 3)
    assert test["images"].dtype == np.uint8
    assert test["attributes"]["color_order"] == "BGR"
    for path, stored in zip(test["paths"], test["images"], strict=True):
        image = cv2.imread(str(project.folder / "images" / path))
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        centre = image[top : top + side, left : left + side]
        expected = cv2.resize(centre, (72, 72), interpolation=cv2.INTER_AREA)
        assert np.abs(stored.astype(int) - expected).mean() < 12


def test_build_writes_the_means_of_the_training_pixels(project):
    means = json.loads((project.folder / "output/mean.json").read_text())
    pixels = read(project.folder / "output/train.hdf5")["images"].astype(np.float64)
    b, g, r = pixels.mean(axis=(0, 1, 2))
    assert means == pytest.approx({"R": r, "G": g, "B": b})


def test_build_reports_what_it_built(project):
    report = json.loads((project.folder / "output/build.json").read_text())
    assert report["classes"] == {"cat": 20, "dog": 20}
    assert report["splits"] == SPLITS
    assert report["skipped"] == {}
    result = project.steps["build"].result
    assert result["images"] == 40
    assert {name: sum(counts.values()) for name, counts in result["splits"].items()} == SPLITS


def test_training_keeps_the_curves_and_both_models(project):
    history = json.loads((project.folder / "output/training.json").read_text())
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= history.keys()
    assert {len(values) for values in history.values()} == {2}
    assert np.isfinite(list(history.values())).all()
    result = project.steps["train"].result
    assert {name: result["history"][name] for name in history} == history
    assert {"seconds", "images_per_second", "waiting"} <= result["history"].keys()
    assert result["val_accuracy"] == max(history["val_accuracy"])
    assert is_picture(project.folder / "output/training.png")


def test_the_best_model_is_of_the_epoch_that_was_printed(project):
    """Of equal accuracies the lower loss is the better."""
    import keras

    history = project.steps["train"].result["history"]
    best = best_epoch(history)
    expected = history["val_accuracy"][best], history["val_loss"][best]
    model = keras.saving.load_model(project.folder / "output/alexnet.keras")
    val = read(project.folder / "output/val.hdf5")
    inputs = as_input(project.folder, val["images"])
    one_hot = np.eye(2, dtype=np.float32)[val["labels"]]
    now = model.evaluate(inputs, one_hot, batch_size=8, verbose=0, return_dict=True)
    assert (now["accuracy"], now["loss"]) == pytest.approx(expected, abs=1e-3)
    assert f"best validation accuracy: {expected[0]:.2%}, in epoch {best + 1} of 2" in project.steps["train"].out


def test_the_model_knows_how_it_was_trained(project):
    with zipfile.ZipFile(project.folder / "output/alexnet.keras") as archive:
        preparation = json.loads(archive.read("pyimagesearch.json"))["preparation"]
    assert (preparation["width"], preparation["height"]) == (64, 64)
    assert preparation["label_names"] == ["cat", "dog"]
    assert preparation["color_order"] == "BGR"
    assert preparation["means"] == json.loads((project.folder / "output/mean.json").read_text())


def test_crop_accuracy_agrees_with_the_model_called_by_hand(project):
    import keras

    test = read(project.folder / "output/test.hdf5")
    model = keras.saving.load_model(project.folder / "output/alexnet.keras")

    def probabilities(images: Iterable[np.ndarray]) -> np.ndarray:
        return np.asarray(model.predict_on_batch(as_input(project.folder, images)))

    rank1 = (probabilities(test["images"]).argmax(axis=1) == test["labels"]).mean()
    by_crops = []
    for image in test["images"]:
        corners = [(0, 0), (0, 8), (8, 0), (8, 8), (4, 4)]
        crops = [image[top : top + 64, left : left + 64] for top, left in corners]
        by_crops.append(probabilities(crops + [crop[:, ::-1] for crop in crops]).mean(axis=0))
    rank1_crops = (np.argmax(by_crops, axis=1) == test["labels"]).mean()

    outcome = project.steps["crops"]
    figures = {"rank1": rank1, "rank1_crops": rank1_crops, "images": 8, "model": "output/alexnet.keras"}
    assert {name: outcome.result[name] for name in figures} == figures
    assert outcome.result["evaluation"]["accuracy"] == rank1
    assert outcome.result["evaluation_crops"]["accuracy"] == rank1_crops
    predicted = read(project.folder / outcome.result["predictions"])
    np.testing.assert_allclose(predicted["probabilities"], by_crops, atol=1e-5)
    assert predicted["predictions"].tolist() == np.argmax(by_crops, axis=1).tolist()
    assert (predicted["paths"], predicted["label_names"]) == (test["paths"], test["label_names"])
    pictures = outcome.result["evaluation_crops"]["pictures"]
    assert {p["path"] for p in pictures["uncertain"]} == set(test["paths"])
    assert f"[INFO] rank-1, no crops: {rank1:.2%} of 8 images" in outcome.out
    assert f"[INFO] rank-1, 10 crops: {rank1_crops:.2%} of 8 images" in outcome.out


def test_features_belong_to_the_files_that_they_name(project):
    features = read(project.folder / "output/features.hdf5")
    assert features["features"].shape == (40, 4096)
    assert features["features"].dtype == np.float32
    assert sorted(features["paths"]) == sorted(path.name for path in (project.folder / "images").iterdir())
    of_labels = [features["label_names"][label] for label in features["labels"]]
    assert of_labels == [path.split(".")[0] for path in features["paths"]]
    assert of_labels != sorted(of_labels)
    assert features["features"].std(axis=0).max() > 0
    assert project.steps["features"].result["images"] == 40
    assert project.steps["features"].result["features"] == 4096


def test_features_are_those_of_the_layer_before_the_classifier(project):
    """Put through the classifier by hand, a row gives what the whole model says of its image."""
    import keras

    features = read(project.folder / "output/features.hdf5")
    model = keras.saving.load_model(project.folder / "output/alexnet.keras")
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)][-1]
    files = [project.folder / "images" / path for path in features["paths"][:6]]
    inputs = as_input(project.folder, [cv2.imread(str(file)) for file in files])
    whole = np.asarray(model.predict_on_batch(inputs))
    kernel, bias = (np.asarray(weights) for weights in dense.get_weights())
    scores = np.exp(features["features"][:6] @ kernel + bias)
    np.testing.assert_allclose(scores / scores.sum(axis=1, keepdims=True), whole, rtol=1e-3, atol=1e-5)


def test_the_classifier_loads_without_trust_and_predicts_class_names(project):
    classifier = skops.io.load(project.folder / "output/classifier.skops", trusted=[])
    features = read(project.folder / "output/features.hdf5")
    predicted = classifier.predict(features["features"])
    assert set(predicted) == set(classifier.classes_) == {"cat", "dog"}
    truth = [features["label_names"][label] for label in features["labels"]]
    assert (predicted == truth).mean() > 0.5  # three quarters of them were its training data


def test_train_model_reports_accuracy_and_draws_the_confusion_matrix(project):
    outcome = project.steps["classify"]
    assert outcome.result["images"] == 10
    assert 0 <= outcome.result["accuracy"] <= 1
    assert f"[INFO] accuracy: {outcome.result['accuracy']:.2%} of 10 images" in outcome.out
    assert re.search(r"precision +recall +f1-score +support", outcome.out)
    assert is_picture(project.folder / "output/confusion_matrix.png")
    assert not list(project.folder.rglob("*.pickle"))


def test_train_model_gives_the_same_result_again_and_a_pickle_when_asked(project, workplace, call):
    again = call("train_model", "--model", "pickled/classifier.pickle", "--jobs", "1", "--config", project.config)
    assert again.code == 0, again.err
    first = project.steps["classify"].result
    assert again.result["accuracy"] == first["accuracy"]
    assert again.result["best_c"] == first["best_c"]
    assert sorted(path.name for path in (workplace / "pickled").iterdir()) == [
        "classifier.json",
        "classifier.pickle",
        "classifier.pickle.json",
        "classifier_predictions.hdf5",
        "confusion_matrix.png",
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
    after = json.loads((folder / "output/training.json").read_text())
    assert {len(values) for values in after.values()} == {3}
    assert {name: values[:2] for name, values in after.items()} == {name: before[name] for name in after}
    assert {name: outcome.result["history"][name] for name in after} == after
    assert is_picture(folder / "output/training.png")


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
