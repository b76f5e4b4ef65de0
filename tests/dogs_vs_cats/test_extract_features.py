"""Features come from where they should, whatever the images lie in, and can be made again."""

import cv2
import h5py
import keras
import numpy as np
import pytest

from dogs_vs_cats import extract_features
from pyimagesearch.errors import UserError
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.nn.modelfile import Position, Preparation, save_model

ROWS = 10
SEVERAL = ["-m", "model.keras,mobilenet", "--weights", ",none", "--alpha", ",0.25", "--flip"]


@pytest.fixture
def images(tmp_path, monkeypatch):
    """The same images as a folder, as HDF5 in BGR and in RGB; a small model; and a place to work in."""
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 12, 9, 3), dtype=np.uint8)
    names = [f"{'cat' if i % 2 else 'dog'}.{i}.png" for i in range(ROWS)]
    (tmp_path / "folder").mkdir()
    for name, image in zip(names, images, strict=True):
        cv2.imwrite(f"folder/{name}", image)
    for order, rows in (("BGR", images), ("RGB", images[..., ::-1])):
        with HDF5DatasetWriter(rows.shape, f"{order}.hdf5", color_order=order) as writer:
            writer.store_class_labels(["cat", "dog"])
            writer.add(rows, [1 - i % 2 for i in range(ROWS)], names)
    keras.utils.set_random_seed(0)
    layers = [keras.Input((7, 8, 3)), keras.layers.Conv2D(3, 3, name="maps"), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    means, deviations = {"R": 100.0, "G": 120.0, "B": 140.0}, {"R": 50.0, "G": 60.0, "B": 70.0}
    save_model(model, "model.keras", Preparation(8, 7, "BGR", means, ["cat", "dog"], deviations), Position())
    return dict(zip(names, images, strict=True))


def extract(*options):
    extract_features.main(["-o", "features.hdf5", "-b", "4", "--force", *options])
    with h5py.File("features.hdf5") as file:
        return dict(zip(file["paths"].asstr()[:], file["features"][:], strict=True))


@pytest.mark.parametrize("dataset", ["folder", "BGR.hdf5", "RGB.hdf5"])
def test_the_recipe_makes_the_features_of_every_image_again(images, dataset):
    features = extract("-d", dataset, *SEVERAL)
    assert features.keys() == images.keys()
    extractor = FeatureExtractor.from_recipe(read_header("features.hdf5").recipe)
    assert extractor.features == 5 * 6 * 3 + 256 == len(features["dog.0.png"])
    for name, image in images.items():
        again = extractor.predict(extractor.prepare(extractor.resize.preprocess(image)[None]))[0]
        np.testing.assert_allclose(features[name], again, rtol=1e-3, atol=1e-3 * np.abs(again).max())


def test_a_layer_and_a_precision_are_chosen(images):
    features = extract("-d", "folder", "-m", "model.keras", "--layer", "maps", "--precision", "mixed_bfloat16")
    assert {row.shape for row in features.values()} == {(3,)}
    with h5py.File("features.hdf5") as file:
        assert file.attrs["history"] == "model.keras, layer maps; mixed_bfloat16"


def test_random_weights_are_those_of_the_seed(images):
    options = ["-d", "BGR.hdf5", "-m", "mobilenet", "--weights", "none", "--alpha", "0.25"]
    first, second = extract(*options), extract(*options)
    for name, row in first.items():
        np.testing.assert_array_equal(row, second[name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-m", "resnet50,vgg61"], "model: must be one of resnet50, .*received 'vgg61'"),
        (
            ["-m", "model.keras", "--layer", "pool"],
            "layer: must be a layer of model.keras, such as maps, .*received 'pool'",
        ),
        (["-m", "resnet50", "--alpha", "0.5"], "alpha: must be given for MobileNets only; received 0.5 for ResNet50"),
        (["-m", "mobilenet", "--alpha", "half"], "alpha: must be a number above 0, .*received 'half'"),
        (["-m", "vgg16,vgg19", "--weights", "a,b,c"], "weights: must be one for all of 2 networks.*received 'a,b,c'"),
    ],
)
def test_a_mistake_leaves_no_file(images, tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        extract("-d", "folder", *options)
    assert not list(tmp_path.glob("features*"))


def test_workers_get_the_loop_of_a_script_that_runs_as_a_program(images, call_shell):
    here = extract("-d", "folder", "-m", "model.keras")
    options = ["-d", "folder", "-m", "model.keras", "-o", "there.hdf5", "-b", "4", "--cluster", "local:1"]
    outcome = call_shell("extract_features", *options)
    assert outcome.returncode == 0, outcome.stderr
    with h5py.File("there.hdf5") as file:
        for path, row in zip(file["paths"].asstr()[:], file["features"][:], strict=True):
            np.testing.assert_array_equal(row, here[path])
