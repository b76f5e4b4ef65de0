"""The predictions of every kind of model, the formats they come in, and what is refused."""

import contextlib
import csv
import json
import os
import pickle
import re
import shutil

import cv2
import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io.imagefile import read_image
from pyimagesearch.ml import classifierfile
from pyimagesearch.nn.featureextractor import FeatureExtractor
from pyimagesearch.nn.modelfile import Position, Preparation, load_model, save_model
from pyimagesearch.nn.prediction import predict
from pyimagesearch.preprocessing import AspectAwarePreprocessor, CropPreprocessor
from tests.conftest import SHARED_DATA

STORED, SIZE = 36, 32
MEANS, DEVIATIONS = {"R": 130.0, "G": 120.0, "B": 110.0}, {"R": 60.0, "G": 50.0, "B": 40.0}
WEIGHTS = SHARED_DATA / "weights"


def save_network(path, label_names=("cat", "dog"), channels=3, activation="softmax", order="BGR", stored_size=0):
    keras.utils.set_random_seed(len(label_names))
    layers = [
        keras.Input((SIZE, SIZE, channels)),
        keras.layers.AveragePooling2D(8),
        keras.layers.Flatten(),
        keras.layers.Dense(len(label_names), activation=activation),
    ]
    preparation = Preparation(SIZE, SIZE, order, MEANS, list(label_names), DEVIATIONS, stored_size=stored_size)
    save_model(keras.Sequential(layers), path, preparation, Position())


@pytest.fixture(scope="module")
def finished(tmp_path_factory, images, call):
    """Make a network, and a classifier of its features as skops and as pickle."""
    folder = tmp_path_factory.mktemp("predict")
    with contextlib.chdir(folder):
        save_network("model.keras")
        features = call("extract_features", "-d", str(images), "-m", "model.keras", "-o", "features.hdf5")
        assert features.code == 0, features.err
        for name in ("classifier.skops", "classifier.pickle"):
            trained = call("train_model", "-d", "features.hdf5", "-m", name, "-j", "1", "--clip", "0.01", "--force")
            assert trained.code == 0, trained.err
    return folder


@pytest.fixture
def place(finished, images, tmp_path, monkeypatch):
    """Return a folder with the models and twelve images; it is the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    (tmp_path / "images").mkdir()
    for number in range(12):
        shutil.copy(images / f"{'cat' if number % 2 else 'dog'}.{number}.jpg", f"images/{number}.jpg")
    return tmp_path


@pytest.fixture
def predicted(call):
    """Return a function that runs the script and gives the rows of its JSON, by image."""

    def run(*arguments):
        outcome = call("predict", *arguments, "-f", "json", "-k", "1000")
        assert outcome.code == 0, outcome.err
        rows = json.loads(outcome.out)
        return {row["image"]: {each["class"]: each["probability"] for each in row["predictions"]} for row in rows}

    return run


def as_matrix(rows, names=("cat", "dog")):
    return np.array([[row[name] for name in names] for row in rows.values()])


@pytest.mark.parametrize(
    ("channels", "order", "crops"),
    [(3, "BGR", False), (3, "BGR", True), (3, "RGB", False), (3, "RGB", True), (1, "BGR", False)],
)
def test_predictions_are_those_of_a_data_set_of_the_same_images(place, predicted, channels, order, crops):
    save_network("other.keras", channels=channels, order=order, stored_size=STORED)
    resize = AspectAwarePreprocessor(STORED, STORED)
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


def test_a_classifier_of_stored_images_sees_photographs_as_they_were_stored(place, predicted, call):
    resize = AspectAwarePreprocessor(STORED, STORED)
    rows = np.stack([resize.preprocess(cv2.imread(f"images/{number}.jpg")) for number in range(12)])
    with HDF5DatasetWriter(rows.shape, "stored.hdf5") as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(rows, [1, 0] * 6, [f"{number}.jpg" for number in range(12)])
    for arguments in (
        ("extract_features", "-d", "stored.hdf5", "-m", "model.keras", "-o", "f.hdf5"),
        ("train_model", "-d", "f.hdf5", "-m", "c.skops", "-k", "2", "--force"),
    ):
        outcome = call(*arguments)
        assert outcome.code == 0, outcome.err
    ours = predicted("images", "-m", "c.skops")
    with h5py.File("f.hdf5") as file:
        expected = classifierfile.load("c.skops").predict_proba(file["features"][:])
        for path, row in zip(file["paths"].asstr()[:], expected, strict=True):
            np.testing.assert_allclose(list(ours[f"images/{path}"].values()), sorted(row)[::-1], atol=1e-5)


@pytest.mark.parametrize("name", ["classifier.skops", "classifier.pickle"])
def test_a_classifier_predicts_as_on_its_features(place, predicted, images, name):
    ours = predicted(str(images), "-m", name, "--trust-pickle")
    classifier = classifierfile.load(name, trust_pickle=True)
    with h5py.File("features.hdf5") as file:
        paths, features = file["paths"].asstr()[:], file["features"][:]
    expected = classifier.predict_proba(features)
    assert {os.path.basename(path) for path in ours} == set(paths)
    for path, row in zip(paths, expected, strict=True):
        np.testing.assert_allclose(list(ours[str(images / path)].values()), sorted(row)[::-1], atol=1e-5)


def test_a_classifier_averages_crops(place, predicted):
    ours = predicted("images/3.jpg", "-m", "classifier.skops", "--crops")
    classifier = classifierfile.load("classifier.skops")
    extractor = FeatureExtractor.from_recipe(classifier.recipe)
    enlarged = cv2.resize(read_image("images/3.jpg"), (STORED, STORED), interpolation=cv2.INTER_AREA)
    crops = CropPreprocessor(SIZE, SIZE).preprocess(enlarged)
    pixels = np.stack([extractor.resize.preprocess(crop) for crop in crops])
    expected = classifier.predict_proba(extractor.extract(extractor.prepare(pixels))).mean(axis=0)
    np.testing.assert_allclose(as_matrix(ours)[0], expected, atol=1e-6)


def test_the_batch_size_and_threads_do_not_matter(place, predicted):
    rows = [predicted("images", "-m", "model.keras", "--crops", "-b", b, "-j", j) for b, j in ("13", "12", "93")]
    for each in rows[1:]:
        assert list(each) == list(rows[0])
        np.testing.assert_allclose(as_matrix(each), as_matrix(rows[0]), atol=1e-6)


def test_results_alone_are_printed(place, call):
    outcome = call("predict", "images/0.jpg", "-m", "model.keras")
    assert re.fullmatch(r"images/0\.jpg\n  1  (cat|dog)  +\d+\.\d\d%\n  2  (cat|dog)  +\d+\.\d\d%\n", outcome.out)
    assert "[INFO] loading model model.keras..." in outcome.err
    assert outcome.result["images"] == 1
    assert outcome.result["files"] == []


def test_a_csv_file(place, call):
    outcome = call("predict", "images", "images/1.jpg", "-m", "model.keras", "-f", "csv", "-k", "1", "-o", "out/a.csv")
    assert "[INFO] wrote out/a.csv" in outcome.out
    rows = list(csv.reader((place / "out/a.csv").read_text("utf-8").splitlines()))
    assert rows[0] == ["image", "class_1", "probability_1"]
    assert [row[0] for row in rows[1:]] == sorted(f"images/{number}.jpg" for number in range(12))
    assert {row[1] for row in rows[1:]} == set(outcome.result["classes"])
    assert sum(outcome.result["classes"].values()) == outcome.result["images"] == 12


def test_a_submission_of_two_classes(place, call, predicted):
    outcome = call("predict", "images", "-m", "model.keras", "-f", "kaggle")
    rows = list(csv.reader(outcome.out.splitlines()))
    assert rows[0] == ["id", "label"]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(12)]
    dogs = {path: row["dog"] for path, row in predicted("images", "-m", "model.keras").items()}
    for number, probability in rows[1:]:
        assert float(probability) == pytest.approx(dogs[f"images/{number}.jpg"], rel=1e-5)


def test_a_submission_of_many_classes(place, call):
    save_network("breeds.keras", ["akita", "beagle", "chow"])
    shutil.copy("images/0.jpg", "images/00a1.jpg")
    outcome = call("predict", "images/00a1.jpg", "images/5.jpg", "-m", "breeds.keras", "-f", "kaggle")
    header, *rows = csv.reader(outcome.out.splitlines())
    assert header == ["id", "akita", "beagle", "chow"]
    assert [row[0] for row in rows] == ["00a1", "5"]
    np.testing.assert_allclose([sum(map(float, row[1:])) for row in rows], 1, atol=1e-6)


def test_a_sheet_of_two_pages(place, call):
    for number in range(12, 40):
        shutil.copy("images/0.jpg", f"images/{number}.jpg")
    outcome = call("predict", "images", "-m", "model.keras", "--sheet", "sheet.png")
    assert [str(path) for path in outcome.result["files"]] == ["sheet.png", "sheet_2.png"]
    first, second = (read_image(path) for path in outcome.result["files"])
    assert first.shape[0] > second.shape[0] > 100
    assert second.std() > 10
    assert "wrote" not in outcome.out
    again = call("predict", "images", "-m", "model.keras", "--sheet", "sheet.png")
    assert (again.code, "--sheet: sheet.png exists" in again.err) == (2, True)


def test_names_of_strangers_harm_nobody(place, call):
    names = ["\x1b[31m=red\nline", "=cmd()|'x'!A1", "\u202eevil", "dög$a_b$" * 40, "猫"]
    save_network("strange.keras", names)
    shutil.copy("images/0.jpg", "images/-a\x1b[2J,\n.jpg")
    arguments = ["images", "-m", "strange.keras", "-k", "5"]
    for style in ("table", "json", "csv"):
        outcome = call("predict", *arguments, "-f", style, "--sheet", "s.png", "--force")
        assert outcome.code == 0, outcome.err
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", outcome.out + outcome.err)
        if style == "json":
            rows = json.loads(outcome.out)
            assert {each["class"] for each in rows[0]["predictions"]} == set(names)
            assert "images/-a\x1b[2J,\n.jpg" in {row["image"] for row in rows}
        if style == "csv":
            cells = [cell for row in csv.reader(outcome.out.splitlines()) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
            assert "'=cmd()|'x'!A1" in cells
    for image, message in (("images", r"image: .* received '-a\\x1b"), ("images/0.jpg", r"class: .*received '\\x1b")):
        refused = call("predict", image, "-m", "strange.keras", "-f", "kaggle")
        assert refused.code == 2
        assert re.search(message, refused.err)


@pytest.fixture
def broken(place):
    data = (place / "images/0.jpg").read_bytes()
    (place / "images/3.jpg").write_bytes(data[: len(data) // 2])
    (place / "images/7.jpg").write_bytes(b"")


def test_an_unreadable_image_is_an_error(broken, place, call):
    outcome = call("predict", "images", "-m", "model.keras", "-f", "json", "-o", "a.json")
    assert outcome.code == 2
    assert re.search(r"error: image: images/3\.jpg cannot be read: .*truncated.*--on-error skip", outcome.err)
    assert outcome.out.count("[INFO] wrote") == 0
    assert not list(place.glob("a*.json"))


@pytest.mark.parametrize("batch_size", ["1", "5", "99"])
def test_unreadable_images_are_skipped_and_named(broken, call, batch_size):
    options = ["-m", "model.keras", "-f", "json", "--on-error", "skip", "-b", batch_size, "--sheet", "s.png"]
    outcome = call("predict", "images", *options)
    rows = {row["image"]: row for row in json.loads(outcome.out)}
    assert len(rows) == 12
    assert "truncated" in rows["images/3.jpg"]["error"]
    assert outcome.result["skipped"].keys() == {"images/3.jpg", "images/7.jpg"}
    assert outcome.result["images"] == 10
    assert "left out images/7.jpg: the file is empty" in outcome.err


class Poison:
    def __reduce__(self):
        return os.mkdir, ("poisoned",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jpg"], r"image: nowhere\.jpg does not exist; check the path"),
        (["*.gif"], r"image: \*\.gif fits no images \(\.jpg, .* and no folders; check the pattern"),
        (["empty"], r"dataset: empty holds no images"),
        (["images", "-m", "resnet51"], r"--model: must be a \.keras, \.skops or \.pickle file, or one of .*'resnet51'"),
        (["images", "-m", "none.keras"], r"model: none\.keras does not exist"),
        (["images", "--alpha", "0.5"], r"--alpha: a file of a model has its own; received 0\.5 with model\.keras"),
        (["images", "--alpha", "-1"], r"--alpha: must be a number above 0; received -1"),
        (["images", "--weights", "w.h5"], r"--weights: a file of a model has its own; received w\.h5"),
        (["images", "-m", "poison.pickle"], r"is a Python pickle, and loading a pickle can run any program.*--trust-"),
        (["images", "-m", "bare.skops"], r"bare\.skops must say how its features are made of an image, and does not"),
        (["images", "-m", "short.skops"], r"classifier: takes 3 features, but its recipe gives 48 \(.*model\.keras"),
        (["images", "-m", "linear.keras"], r"model: must give probabilities, which sum to 1; for images/0\.jpg it"),
        (["images", "-m", "four.keras"], r"model: must take images of 1 or 3 channels; it takes \(None, 32, 32, 4\)"),
        (["images", "-m", "numbers.keras"], r"--model: the classes of numbers\.keras must have names; received \[1, 2"),
        (["images", "--sheet", "a.jpg"], r"--sheet: must end in \.png; received a\.jpg"),
        (["images", "-o", "old.txt"], r"--output: old\.txt exists"),
        (["two", "-f", "kaggle"], r"image: two/a2b3\.jpg must have one number in its name, .*it has 2 and 3; rename"),
        (["images", "same", "-f", "kaggle"], r"image: every id .*images/1\.jpg and same/x1\.jpg have the id 1; leave"),
    ],
)
def test_mistakes_cost_no_file(place, call, files_in, arguments, message):
    (place / "empty").mkdir()
    (place / "old.txt").write_text("old")
    for name in ("two/a2b3.jpg", "same/x1.jpg"):
        (place / name).parent.mkdir()
        shutil.copy("images/0.jpg", name)
    wanted = arguments[arguments.index("-m") + 1] if "-m" in arguments else ""
    if wanted == "linear.keras":
        save_network(wanted, activation=None)
    if wanted == "four.keras":
        save_network(wanted, channels=4)
    if wanted == "numbers.keras":
        save_network(wanted, label_names=(1, 2))
    if wanted == "poison.pickle":
        (place / wanted).write_bytes(pickle.dumps(Poison()))
    if wanted in ("bare.skops", "short.skops"):
        from sklearn.linear_model import LogisticRegression

        estimator = LogisticRegression().fit(np.eye(3), ["a", "b", "b"])
        recipe = classifierfile.load("classifier.skops").recipe if wanted == "short.skops" else ""
        classifierfile.save(estimator, wanted, recipe)
    before = files_in(place)
    outcome = call("predict", *(["-m", "model.keras"] if not wanted else []), *arguments)
    assert outcome.code == 2, outcome.err
    assert re.search(rf"error: .*{message}", outcome.err.splitlines()[-1])
    assert outcome.out == ""
    assert files_in(place) == before


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
