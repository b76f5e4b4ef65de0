"""Training interrupted in the middle of an epoch resumes as if nothing had happened."""

import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import TrainingCheckpoint, TrainingMonitor
from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.nn.modelfile import Position, Preparation, check_resumable, load_model, save_model
from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor
from pyimagesearch.training.fit import fit_from, learning_rate

ROWS, BATCH, EPOCHS = 50, 8, 3
PREPARATION = Preparation(12, 12, "BGR", {"R": 1.0, "G": 2.0, "B": 3.0}, ["cat", "dog"])


class StoppedError(Exception):
    """Stands for a kill, at a moment of the test's choice."""


class StopAfter(keras.callbacks.Callback):
    def __init__(self, epoch, batches):
        super().__init__()
        self._stop, self._epoch = (epoch, batches), None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch + 1) == self._stop:
            raise StoppedError


class Recorder(HDF5DatasetGenerator):
    """Remembers which batches were asked for, with their pixels."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = {}

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        self.seen[self.epoch, index] = batch
        return batch


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "train.hdf5"
    with HDF5DatasetWriter((ROWS, 16, 16, 3), path) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(rng.integers(0, 256, (ROWS, 16, 16, 3), dtype=np.uint8), np.arange(ROWS) % 2)
    return path


def make_generator(path):
    steps = [PatchPreprocessor(12, 12), AugmentPreprocessor(rotation_range=10, horizontal_flip=True)]
    return Recorder(path, BATCH, steps, shuffle=True, seed=3)


def make_model():
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.PolynomialDecay(1e-2, EPOCHS * 7, 0.0)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


def save(model, path, position):
    save_model(model, path, PREPARATION, position, "stream")


def train(folder, data, start=None, model=None, stop=None):
    generator, start = make_generator(data), start or Position()
    monitor = TrainingMonitor(folder / "curves.png", folder / "curves.json", start.epoch)
    checkpoint = TrainingCheckpoint(
        folder / "last.keras", save, rows=ROWS, batch_size=BATCH, every_batches=2, every_minutes=None, start=start
    )
    model = model or make_model()
    validation = HDF5DatasetGenerator(data, BATCH, [PatchPreprocessor(12, 12)])
    stoppers = [StopAfter(*stop)] if stop else []
    fit_from(model, generator, validation, EPOCHS, start, [checkpoint, monitor, *stoppers], verbose=0)
    return model, generator, monitor


@pytest.mark.parametrize("stop", [(0, 3), (1, 5), (1, 7), (2, 1)])
def test_a_resumed_run_sees_the_same_batches_and_ends_with_the_same_weights(tmp_path, data, stop):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    expected_model, expected, expected_monitor = train(whole, data)

    with pytest.raises(StoppedError):
        train(broken, data, stop=stop)
    start = check_resumable(broken / "last.keras", PREPARATION, "stream", EPOCHS)
    assert (start.epoch, start.batch) in {(0, 2), (1, 4), (1, 6), (2, 0)}
    loaded, _ = load_model(broken / "last.keras")
    model, generator, monitor = train(broken, data, start, loaded)

    asked = {key for key in generator.seen if key >= (start.epoch, start.batch)}
    assert asked == {key for key in expected.seen if key >= (start.epoch, start.batch)}
    for key in asked:
        for ours, theirs in zip(generator.seen[key], expected.seen[key], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(model.get_weights(), expected_model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for name, values in expected_monitor.history.items():
        if not name.startswith("val_"):
            np.testing.assert_allclose(monitor.history[name], values, rtol=1e-5)


def test_a_position_that_an_epoch_has_not(tmp_path, data):
    """As one of a single device can be, where several leave out the rows of a short last batch."""
    words = r"^resume: must continue within the 7 batches of an epoch.* at batch 7; take as many devices"
    with pytest.raises(UserError, match=words):
        train(tmp_path, data, Position(0, 7))


def test_other_settings_cannot_be_resumed(tmp_path, data):
    train(tmp_path, data)
    with pytest.raises(UserError, match=r"^resume: .* must have been trained with the input and the batches"):
        check_resumable(tmp_path / "last.keras", PREPARATION, "another stream", EPOCHS + 1)
    with pytest.raises(UserError, match=r"^epochs: must exceed the 3 epochs"):
        check_resumable(tmp_path / "last.keras", PREPARATION, "stream", EPOCHS)


@pytest.mark.parametrize("argument", ["every_batches", "every_minutes"])
def test_an_interval_must_be_positive(tmp_path, argument):
    with pytest.raises(UserError, match=f"{argument}: must be above 0"):
        TrainingCheckpoint(tmp_path / "x.keras", save, rows=1, batch_size=1, **{argument: 0})


class TestLearningRate:
    @pytest.mark.parametrize("decay", [None, "none"])
    def test_without_decay_it_is_a_number(self, decay):
        assert learning_rate(0.1, decay, 10) == 0.1

    @pytest.mark.parametrize(
        ("decay", "warm_up", "expected"),
        [
            ("linear", 0, [0.1, 0.075, 0.05, 0.025, 0]),
            ("cosine", 0, [0.1, 0.0853553, 0.05, 0.0146447, 0]),
            ("cosine", 4, [0, 0.05, 0.1, 0.05, 0]),
        ],
    )
    def test_it_ends_at_0(self, decay, warm_up, expected):
        rates = learning_rate(0.1, decay, 8, warm_up)
        np.testing.assert_allclose([float(rates(step)) for step in (0, 2, 4, 6, 8)], expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (("linaer", 8), "^learning_rate_decay: must be .*; received 'linaer'"),
            (("linear", 8, 2), "^warm_up_epochs: needs learning_rate_decay=.cosine.*; received 'linear'"),
            (("cosine", 8, 8), "^warm_up_epochs: must be below the epochs in all"),
        ],
    )
    def test_a_schedule_that_cannot_be_is_refused(self, values, message):
        with pytest.raises(UserError, match=message):
            learning_rate(0.1, *values)
