"""The predictions of every kind of model."""

import contextlib
import json
import os

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io.format.header import Provenance
from pyimagesearch.io.images.decoding import read_image
from pyimagesearch.ml import Classifier
from pyimagesearch.nn.modelfile import load_model
from pyimagesearch.nn.prediction import predict
from pyimagesearch.preprocessing import AspectAwarePreprocessor, CropPreprocessor
from pyimagesearch.preprocessing.fitting import fitting
from tests.conftest import SHARED_DATA
from tests.dogs_vs_cats.predict.networks import SIZE, STORED, save_network

WEIGHTS = SHARED_DATA / "weights"


def as_matrix(rows, names=("cat", "dog")):
    return np.array([[row[name] for name in names] for row in rows.values()])


@pytest.mark.parametrize(
    ("channels", "order", "crops", "fit"),
    [
        (3, "BGR", False, "crop"), (3, "BGR", True, "pad"), (3, "RGB", False, "stretch"), (3, "RGB", True, "crop"),
        (1, "BGR", False, "pad"),
    ],
)  # fmt: skip
def test_predictions_are_those_of_a_data_set_of_the_same_images(place, predicted, channels, order, crops, fit):
    save_network("other.keras", channels=channels, order=order, stored_size=STORED, fit=fit)
    resize = fitting(fit, STORED, STORED)
    rows = []
    (place / "stored").mkdir()
    for number in range(12):
        pixels = cv2.imread(f"images/{number}.jpg", cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE)
        stored = resize.preprocess(pixels if channels == 3 else pixels[:, :, None])
        cv2.imwrite(f"stored/{number:02}.png", stored)
        rows.append(stored[..., ::-1] if order == "RGB" else stored)
    with HDF5DatasetWriter((12, STORED, STORED, channels), "stored.hdf5", color_order=order) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(np.stack(rows), [0, 1] * 6)
    model, preparation = load_model("other.keras")
    first = CropPreprocessor(SIZE, SIZE) if crops else preparation.resize()
    with contextlib.closing(HDF5DatasetGenerator("stored.hdf5", 5, [first, *preparation.normalize()])) as generator:
        expected = predict(model, generator)
    option = ["--crops"] if crops else []
    ours = as_matrix(predicted("stored", "-m", "other.keras", "-b", "7", *option))
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    np.testing.assert_allclose(ours.sum(axis=1), 1, atol=1e-12)
    photographs = [f"images/{number}.jpg" for number in range(12)]  # are first made as large as the stored ones
    np.testing.assert_allclose(as_matrix(predicted(*photographs, "-m", "other.keras", *option)), ours, atol=1e-5)


def test_crops_of_gray_images(place, predicted):
    save_network("gray.keras", channels=1)
    model, preparation = load_model("gray.keras")
    gray = cv2.imread("images/4.jpg", cv2.IMREAD_GRAYSCALE)[:, :, None]
    crops = CropPreprocessor(SIZE, SIZE).preprocess(AspectAwarePreprocessor(STORED, STORED).preprocess(gray))
    expected = model.predict_on_batch(np.stack([preparation.normalize()[0].preprocess(crop) for crop in crops]))
    ours = predicted("images/4.jpg", "-m", "gray.keras", "--crops")
    np.testing.assert_allclose(as_matrix(ours)[0], expected.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_a_classifier_of_stored_images_sees_photographs_as_they_were_stored(place, predicted, call, fit):
    resize = fitting(fit, STORED, STORED)
    rows = np.stack([resize.preprocess(cv2.imread(f"images/{number}.jpg")) for number in range(12)])
    history = Provenance(f"{type(resize).__name__} to {STORED}x{STORED}x3")
    with HDF5DatasetWriter(rows.shape, "stored.hdf5", provenance=history) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(rows, [1, 0] * 6, [f"{number}.jpg" for number in range(12)])
    for arguments in (
        ("extract_features", "-d", "stored.hdf5", "-m", "model.keras", "-o", "f.hdf5"),
        ("train_model", "-d", "f.hdf5", "-m", "c.skops", "--folds", "2", "--force"),
    ):
        outcome = call(*arguments)
        assert outcome.code == 0, outcome.err
    ours = predicted("images", "-m", "c.skops")
    with h5py.File("f.hdf5") as file:
        expected = Classifier.load("c.skops").predict_proba(file["features"][:])
        for path, row in zip(file["paths"].asstr()[:], expected, strict=True):
            np.testing.assert_allclose(list(ours[f"images/{path}"].values()), sorted(row)[::-1], atol=1e-5)


@pytest.mark.parametrize("name", ["classifier.skops", "classifier.pickle"])
def test_a_classifier_predicts_as_on_its_features(place, predicted, images, name):
    ours = predicted(str(images), "-m", name, "--trust-pickle")
    classifier = Classifier.load(name, trust_pickle=True)
    with h5py.File("features.hdf5") as file:
        paths, features = file["paths"].asstr()[:], file["features"][:]
    expected = classifier.predict_proba(features)
    assert {os.path.basename(path) for path in ours} == set(paths)
    for path, row in zip(paths, expected, strict=True):
        np.testing.assert_allclose(list(ours[str(images / path)].values()), sorted(row)[::-1], atol=1e-5)


def test_a_classifier_averages_crops(place, predicted):
    ours = predicted("images/3.jpg", "-m", "classifier.skops", "--crops")
    classifier = Classifier.load("classifier.skops")
    extractor = FeatureExtractor.from_recipe(classifier.recipe)
    enlarged = cv2.resize(read_image("images/3.jpg"), (STORED, STORED), interpolation=cv2.INTER_AREA)
    crops = CropPreprocessor(SIZE, SIZE).preprocess(enlarged)
    pixels = np.stack([extractor.resize.preprocess(crop) for crop in crops])
    expected = classifier.predict_proba(extractor.predict(extractor.prepare(pixels))).mean(axis=0)
    np.testing.assert_allclose(as_matrix(ours)[0], expected, atol=1e-6)


def test_the_batch_size_and_threads_do_not_matter(place, predicted):
    rows = [predicted("images", "-m", "model.keras", "--crops", "-b", b, "-j", j) for b, j in ("13", "12", "93")]
    for each in rows[1:]:
        assert list(each) == list(rows[0])
        np.testing.assert_allclose(as_matrix(each), as_matrix(rows[0]), atol=1e-6)


@pytest.fixture
def imagenet_names(monkeypatch):
    """Let Keras find the names of ImageNet's classes, and return them in order."""
    index = WEIGHTS / "imagenet_class_index.json"
    if not index.is_file():
        pytest.skip("the names of ImageNet's classes are not on this machine")
    names = json.loads(index.read_text("utf-8"))
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", names)
    return [names[str(number)][1] for number in range(1000)]


def test_random_weights_of_a_backbone_have_imagenets_names(place, predicted, imagenet_names):
    ours = predicted("images/0.jpg", "-m", "mobilenet", "--alpha", "0.25", "--weights", "none")
    (row,) = ours.values()
    assert len(row) == 1000
    assert sum(row.values()) == pytest.approx(1)
    assert {"German_shepherd", "crane (n02012849)", "crane (n03126707)"} <= set(row)


def test_a_trained_backbone_knows_dogs(predicted, imagenet_names):
    photographs = sorted((SHARED_DATA / "dogs_vs_cats/train").glob("dog.1?.jpg"))
    if not photographs:
        pytest.skip("the photographs are not on this machine")
    weights = str(WEIGHTS / "mobilenet_7_5_224_tf.h5")
    ours = predicted(*map(str, photographs), "-m", "MobileNet", "--alpha", "0.75", "--weights", weights)
    dogs = set(imagenet_names[151:269])
    best = [next(iter(row)) for row in ours.values()]
    assert sum(name in dogs for name in best) >= 0.8 * len(best)
