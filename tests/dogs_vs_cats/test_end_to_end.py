"""The five scripts in a row on forty drawings: their files, and what they print."""

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skops.io

from tests.dogs_vs_cats.finished import SPLITS, best_epoch, is_picture, read


def as_input(folder: Path, images: Iterable[np.ndarray]) -> np.ndarray:
    """Return images, resized to the network's input and without the training images' mean colour."""
    means = json.loads((folder / "output/mean.json").read_text())
    resized = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) for image in images]
    return np.array(resized, np.float32) - np.array([means["B"], means["G"], means["R"]], np.float32)


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
    history = json.loads((project.folder / "output/alexnet.json").read_text())
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= history.keys()
    assert {len(values) for values in history.values()} == {2}
    assert np.isfinite(list(history.values())).all()
    result = project.steps["train"].result
    assert {name: result["history"][name] for name in history} == history
    assert {"seconds", "images_per_second", "waiting"} <= result["history"].keys()
    assert result["val_accuracy"] == max(history["val_accuracy"])
    assert is_picture(project.folder / "output/alexnet.png")


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
    test = outcome.result["crops_against_none"]
    assert (test["images"], test["gained"] - test["lost"]) == (8, round(8 * (rank1_crops - rank1)))
    assert f": {test['gained']} images gained, {test['lost']} lost, p = " in outcome.out.splitlines()[-2]


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
    assert is_picture(project.folder / "output/classifier_confusion_matrix.png")
    assert not list(project.folder.rglob("*.pickle"))
