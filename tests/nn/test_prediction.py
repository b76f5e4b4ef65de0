import keras
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.prediction import predict
from pyimagesearch.preprocessing import CropPreprocessor, ImageToArrayPreprocessor, MeanPreprocessor, SimplePreprocessor

N = 11
MEANS = MeanPreprocessor(120, 110, 100)


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    layers = [
        keras.Input((6, 5, 3)),
        keras.layers.Rescaling(1 / 64),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    return keras.Sequential(layers)


@pytest.fixture
def images(numbered_images):
    return numbered_images(N, height=9, width=8)


@pytest.fixture
def generate(write_dataset, images):
    made = []

    def make(batch_size, preprocessors, **options):
        path = write_dataset(images, name=f"{len(made)}.hdf5")
        made.append(HDF5DatasetGenerator(path, batch_size, preprocessors, **options))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


@pytest.mark.parametrize("batch_size", [1, 4, N, 50])
def test_every_row_gets_its_probabilities_in_order(model, generate, images, batch_size):
    resize = SimplePreprocessor(5, 6)
    scores = predict(model, generate(batch_size, [resize, MEANS, ImageToArrayPreprocessor()]))
    inputs = MEANS.preprocess(np.stack([resize.preprocess(image) for image in images]))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, model.predict_on_batch(inputs), atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 50])
@pytest.mark.parametrize("horiz", [True, False])
def test_the_probabilities_of_crops_are_averaged(model, generate, images, batch_size, horiz):
    crop = CropPreprocessor(5, 6, horiz)
    scores = predict(model, generate(batch_size, [crop, MEANS, ImageToArrayPreprocessor()]))
    expected = [model.predict_on_batch(MEANS.preprocess(crop.preprocess(image))).mean(axis=0) for image in images]
    np.testing.assert_allclose(scores, np.stack(expected), atol=1e-5)


@pytest.mark.parametrize("epoch", [0, 3])
def test_the_rows_of_a_shuffled_generator_are_put_back(model, generate, epoch):
    preprocessors = [SimplePreprocessor(5, 6), MEANS, ImageToArrayPreprocessor()]
    shuffled = generate(4, preprocessors, shuffle=True, seed=7)
    shuffled.epoch = epoch
    np.testing.assert_allclose(predict(model, shuffled), predict(model, generate(4, preprocessors)), atol=1e-6)


def test_progress_counts_rows(model, generate, capsys):
    predict(model, generate(4, [SimplePreprocessor(5, 6)]), "Evaluating")
    assert "Evaluating: 100% (11)" in capsys.readouterr().err
