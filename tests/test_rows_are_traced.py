"""Follows every image by a number in its colour, from the folder to the predictions.

An image is flat, and its colour says its number in base 5, one digit a channel. Levels lie so far apart
that JPEG, resizing and cropping cannot turn one into another, and swapped channels are another number.
"""

import contextlib
import itertools
import json

import cv2
import h5py
import numpy as np
import pytest

from dogs_vs_cats import build_dogs_vs_cats, extract_features
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.preprocessing import (
    CropPreprocessor,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

N, STORED, INPUT = 53, 40, 32
DIGITS = np.array((25, 1, 5))  # what a digit of blue, green and red is worth; 0 stands for no number
MEANS = {"R": 30.0, "G": 20.0, "B": 10.0}
LABELS = ("bird", "cat", "dog")
SETS = ("train", "val", "test")
SETTINGS = f"""
from config.dogs_vs_cats_config import *

IMAGES_PATH = "images"
NUM_VAL_IMAGES, NUM_TEST_IMAGES = 9, 11
STORED_SIZE, INPUT_SIZE = {STORED}, {INPUT}
TRAIN_HDF5, VAL_HDF5, TEST_HDF5 = "train.hdf5", "val.hdf5", "test.hdf5"
DATASET_MEAN = "mean.json"
FEATURES_HDF5 = "features.hdf5"
"""
_names = (f"traced_config_{i}" for i in itertools.count())


def colour_of(number):
    return (number // DIGITS % 5) * 50 + 25


def numbers_of(colours):
    """Return the numbers that colours of shape (..., 3) say, or -1 for a colour between two levels."""
    digits = np.rint((np.asarray(colours, np.float64) - 25) / 50)
    clear = (np.abs(colours - (digits * 50 + 25)) < 12).all(axis=-1) & (digits >= 0).all(axis=-1)
    return np.where(clear, digits @ DIGITS, -1).astype(int)


def numbers_in(images):
    """Return the number in each image of shape (..., h, w, 3), or -1 where its pixels disagree."""
    pixels = numbers_of(images)
    flat = pixels.reshape(*pixels.shape[:-2], -1)
    return np.where((flat == flat[..., :1]).all(axis=-1), flat[..., 0], -1)


def label_index(number):
    return number * 7 % 11 % 3


def number_in_name(path):
    return int(path.split("-")[1].split(".")[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of N numbered images of all sizes and kinds, in folders and not in the order of their numbers."""
    root = tmp_path_factory.mktemp("traced")
    rng = np.random.default_rng(2)
    (root / f"{(config := next(_names))}.py").write_text(SETTINGS, "utf-8")
    for number in range(1, N + 1):
        height, width = (STORED, STORED) if number % 4 == 0 else rng.integers(30, 120, 2)
        image = np.full((height, width, 3), colour_of(number), np.uint8)
        name = f"{LABELS[label_index(number)]}.no-{number}.{'png' if number % 3 == 0 else 'jpg'}"
        path = root / "images" / f"part {number % 5}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(path.suffix, image, (cv2.IMWRITE_JPEG_QUALITY, 90) * (number % 3 > 0))[1])
    return root, config


@pytest.fixture(scope="module", params=["raw", "jpeg"])
def built(request, folder):
    """The folder in which the build script left its three files, and the name of the config."""
    root, config = folder
    output = root / request.param
    arguments = ["--config", config, "--encoding", request.param, "--output", str(output), "--jobs", "3"]
    with contextlib.chdir(root):
        build_dogs_vs_cats.main(arguments)
    return output, config


@pytest.fixture
def files(built):
    """The three files, with the number that each row should carry by its path."""
    numbers = {}
    for name in SETS:
        with h5py.File(built[0] / f"{name}.hdf5") as file:
            numbers[name] = np.array([number_in_name(path) for path in file["paths"].asstr()[:]])
    return {name: (built[0] / f"{name}.hdf5", numbers[name]) for name in SETS}


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """A network whose features are the mean colours and whose classes are the numbers."""
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    layers = [
        keras.Input((INPUT, INPUT, 3)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(N + 1, "softmax"),
    ]
    model = keras.Sequential(layers)
    colours = np.array([colour_of(number) for number in range(N + 1)]) - (MEANS["B"], MEANS["G"], MEANS["R"])
    model.layers[-1].set_weights([2 * colours.T / 250, -(colours**2).sum(axis=1) / 250])
    path = tmp_path_factory.mktemp("model") / "numbers.keras"
    described = Preparation(INPUT, INPUT, "BGR", MEANS, [str(number) for number in range(N + 1)])
    save_model(model, path, described, Position())
    return path


def normalize():
    return [MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"]), ImageToArrayPreprocessor()]


def with_means(images):
    return images + np.array((MEANS["B"], MEANS["G"], MEANS["R"]), np.float32)


def test_the_code_tells_every_number_from_every_other():
    colours = np.array([colour_of(number) for number in range(N + 1)])
    assert numbers_of(colours).tolist() == list(range(N + 1))
    assert numbers_of(colours + 25).tolist() == [-1] * (N + 1)
    halves = np.broadcast_to(colours[[7, 8]][:, None, None], (2, 4, 4, 3)).copy()
    assert numbers_in(halves).tolist() == [7, 8]
    halves[0, 0, 0] = colours[9]
    assert numbers_in(halves).tolist() == [-1, 8]


def test_every_image_is_in_one_split_once(files):
    numbers = np.concatenate([numbers for _, numbers in files.values()])
    assert sorted(numbers) == list(range(1, N + 1))
    assert [len(numbers) for _, numbers in files.values()] == [N - 20, 9, 11]


def test_stored_rows_carry_the_number_and_the_label_of_their_path(files, folder):
    for path, numbers in files.values():
        header = read_header(path)
        rows = open_rows(header)
        assert numbers_in(np.stack(rows.read(range(len(numbers))))).tolist() == numbers.tolist()
        rows.close()
        assert [header.label_names[i] for i in header.labels] == [LABELS[label_index(n)] for n in numbers]
        with h5py.File(path) as file:
            assert all((folder[0] / "images" / name).is_file() for name in file["paths"].asstr()[:])


def test_means_are_the_colours_of_the_training_images(built, files):
    means = json.loads((built[0] / "mean.json").read_text("utf-8"))
    expected = np.mean([colour_of(number) for number in files["train"][1]], axis=0)
    assert len(set(np.rint(expected / 4))) == 3  # swapped channels would show
    np.testing.assert_allclose([means["B"], means["G"], means["R"]], expected, atol=1)


@pytest.mark.parametrize("threads", [1, 3])
def test_shuffled_batches_keep_number_label_and_path_together(files, threads):
    path, numbers = files["train"]
    chain = [PatchPreprocessor(INPUT, INPUT), *normalize()]
    options = {"shuffle": True, "seed": 5, "threads": threads}
    loader = BatchLoader(path, 7, chain, **options)
    generator = HDF5DatasetGenerator(path, 7, chain, classes=3, **options)
    orders = []
    for epoch in range(3):
        generator.epoch = epoch
        seen = []
        for index in range(len(generator)):
            images, labels = generator[index]
            found = numbers_in(with_means(images))
            assert found.tolist() == numbers[loader.rows(epoch, index)].tolist()
            assert found.tolist() == numbers_in(with_means(loader.batch(epoch, index))).tolist()
            np.testing.assert_array_equal(labels, np.eye(3)[[label_index(number) for number in found]])
            seen.extend(found)
        assert sorted(seen) == sorted(numbers)
        orders.append(tuple(seen))
    assert len(set(orders)) == 3
    loader.close()
    generator.close()


def test_the_book_s_generator_keeps_numbers_and_labels_together_over_epochs(files):
    path, numbers = files["train"]
    generator = HDF5DatasetGenerator(path, 8, [SimplePreprocessor(INPUT, INPUT)], classes=3, shuffle=True, seed=1)
    seen = []
    for images, labels in generator.generator(passes=2):
        found = numbers_in(images)
        assert labels.argmax(axis=1).tolist() == [label_index(number) for number in found]
        assert labels.sum() == len(found)
        seen.extend(found.tolist())
    generator.close()
    first, second = seen[: len(numbers)], seen[len(numbers) :]
    assert sorted(first) == sorted(second) == sorted(numbers)
    assert first != second


def test_all_ten_crops_carry_the_number_of_their_image(files):
    path, numbers = files["test"]
    generator = HDF5DatasetGenerator(path, 4, [CropPreprocessor(INPUT, INPUT), *normalize()], classes=3)
    images = np.concatenate([generator[index][0] for index in range(len(generator))])
    generator.close()
    assert images.shape == (len(numbers), 10, INPUT, INPUT, 3)
    np.testing.assert_array_equal(numbers_in(with_means(images)), np.repeat(numbers[:, None], 10, axis=1))


@pytest.mark.parametrize("steps", [[SimplePreprocessor(INPUT, INPUT)], [CropPreprocessor(INPUT, INPUT)]])
def test_every_prediction_belongs_to_its_row(files, model_path, steps):
    from pyimagesearch.nn.modelfile import load_model
    from pyimagesearch.nn.prediction import predict
    from pyimagesearch.utils import rank5_accuracy

    model, _ = load_model(model_path)
    for path, numbers in files.values():
        generator = HDF5DatasetGenerator(path, 4, [*steps, *normalize()], classes=3)
        predictions = predict(model, generator)
        generator.close()
        assert predictions.argmax(axis=1).tolist() == numbers.tolist()
        np.testing.assert_allclose(predictions.sum(axis=1), 1, atol=1e-5)
        assert rank5_accuracy(predictions, numbers) == (1, 1)
        assert rank5_accuracy(predictions, np.roll(numbers, 1))[0] == 0


@pytest.mark.parametrize("tied", [(0, 3), (2, 3), (1, 5), (0, 1, 2, 3, 4, 5, 6)])
def test_of_equal_predictions_the_lower_class_is_the_best(tied):
    from pyimagesearch.utils import rank5_accuracy

    scores = np.zeros((1, 7))
    scores[0, list(tied)] = 0.5
    assert [rank5_accuracy(scores, [label])[0] for label in range(7)] == [label == tied[0] for label in range(7)]


def check_features(path, wanted):
    with h5py.File(path) as file:
        features, labels, paths = file["features"][:], file["labels"][:], file["paths"].asstr()[:].tolist()
        names = file["label_names"].asstr()[:].tolist()
    numbers = numbers_of(with_means(features)).tolist()
    assert numbers == [number_in_name(path) for path in paths]
    assert sorted(numbers) == sorted(wanted)
    assert numbers != sorted(numbers)  # rows are shuffled before the network sees them
    assert [names[label] for label in labels] == [LABELS[label_index(number)] for number in numbers]


def test_features_of_a_file_keep_number_label_and_path(built, files, model_path, folder):
    path, numbers = files["train"]
    output = built[0] / "features.hdf5"
    arguments = ["--dataset", str(path), "--output", str(output), "--model", str(model_path), "--force"]
    with contextlib.chdir(folder[0]):
        result = extract_features.main([*arguments, "--config", built[1], "--batch-size", "6", "--buffer-size", "5"])
    assert result["images"] == len(numbers)
    check_features(output, numbers)


def test_features_of_a_folder_keep_number_label_and_path(folder, model_path):
    root, config = folder
    with contextlib.chdir(root):
        extract_features.main(["--config", config, "--model", str(model_path), "--batch-size", "10", "--jobs", "3"])
    check_features(root / "features.hdf5", range(1, N + 1))
