import contextlib
import itertools

import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator

LABELS = np.array([0, 1, 2, 0, 0, 1, 0, 0, 2, 0, 0])
N = len(LABELS)


@pytest.fixture
def images(numbered_images):
    return numbered_images(N)


@pytest.fixture
def generate(write_dataset, images):
    """Return a function that makes a generator of batches of 4."""
    path = write_dataset(images, LABELS, class_labels=("cat", "dog", "fox"))
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            contextlib.closing(HDF5DatasetGenerator(path, 4, classes=3, **options))
        )


@pytest.fixture
def model(images):
    """A tiny model, and the rows of each batch that it was trained on."""
    import keras

    seen = []

    class Recorder(keras.Sequential):
        def train_step(self, data):
            seen.append(np.asarray(data[0])[:, 0, 0, 0].astype(int).tolist())
            return super().train_step(data)

    if keras.backend.backend() != "tensorflow":
        pytest.skip("what a model was trained on is recorded with TensorFlow")
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input(images.shape[1:]),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = Recorder(layers)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model, seen


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_fit_visits_every_row_once_an_epoch_in_ever_new_orders(generate, model, class_weight):
    model, seen = model
    train = generate(shuffle=True, seed=3, class_weight=class_weight)
    model.fit(train, validation_data=generate(), epochs=4, shuffle=False, verbose=0)
    assert [len(rows) for rows in seen] == [4, 4, 3] * 4
    epochs = [list(itertools.chain(*seen[3 * epoch : 3 * epoch + 3])) for epoch in range(4)]
    assert all(sorted(rows) == list(range(N)) for rows in epochs)
    assert len(set(map(tuple, epochs))) == 4
    for epoch, rows in enumerate(epochs):
        train.epoch = epoch
        assert rows == np.concatenate([train[i][0][:, 0, 0, 0] for i in range(3)]).tolist()


def test_a_resumed_fit_goes_on_with_the_next_epoch_s_order(generate, model):
    model, seen = model
    model.fit(generate(shuffle=True), epochs=3, shuffle=False, verbose=0)
    resumed = generate(shuffle=True)
    resumed.epoch = 2
    model.fit(resumed, initial_epoch=2, epochs=3, shuffle=False, verbose=0)
    assert seen[6:9] == seen[9:12]


def test_predict_and_evaluate_see_every_row_once(generate, model, images):
    model, _ = model
    generator = generate()
    expected = np.asarray(model.predict_on_batch(images.astype(np.float32)))
    predictions = model.predict(generator, verbose=0)
    np.testing.assert_allclose(predictions, expected, atol=1e-5)
    _, accuracy = model.evaluate(generator, verbose=0)
    assert accuracy == pytest.approx((expected.argmax(axis=1) == LABELS).mean())
