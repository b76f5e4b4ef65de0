"""Files and figures of the callbacks, epoch by epoch."""

import json
import os
import re

import cv2
import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import (
    BestModel,
    EarlyStop,
    EpochCheckpoint,
    TrainingCheckpoint,
    TrainingMonitor,
    trainingcheckpoint,
)
from pyimagesearch.callbacks.monitored import check_monitored
from pyimagesearch.errors import UserError
from pyimagesearch.nn.modelfile import Position


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, *callbacks, epochs=1, **options):
    x, y = np.random.default_rng(0).normal(size=(8, 2)), np.eye(2)[np.arange(8) % 2]
    options = {"validation_data": (x, y), "verbose": 0, **options}
    return model.fit(x, y, epochs=epochs, callbacks=list(callbacks), **options)


def compiled(*metrics):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=list(metrics))
    return model


def results(loss, accuracy):
    return {"loss": 1.0, "accuracy": 0.1, "val_loss": loss, "val_accuracy": accuracy}


class TestTrainingMonitor:
    @pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
    def test_the_figure_is_rewritten_every_epoch(self, tmp_path, suffix):
        path = tmp_path / "curves" / f"training.{suffix}"
        monitor = TrainingMonitor(path)
        monitor.on_epoch_end(0, results(0.5, 0.7))
        first = path.read_bytes()
        monitor.on_epoch_end(1, results(0.3, 0.9))
        assert path.read_bytes() != first
        assert os.listdir(path.parent) == [path.name]
        begin = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix]
        assert first.startswith(begin)

    def test_the_figure_can_be_seen(self, tmp_path):
        TrainingMonitor(tmp_path / "a.png").on_epoch_end(0, results(0.5, 0.7))
        image = cv2.imread(str(tmp_path / "a.png"))
        assert min(image.shape[:2]) > 300
        assert image.std() > 5

    def test_numbers_are_kept_as_fit_reports_them(self, tmp_path, model):
        monitor = TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json")
        history = fit(model, monitor, epochs=3).history
        assert json.loads((tmp_path / "a.json").read_text()) == monitor.history
        assert monitor.history == {name: pytest.approx(values) for name, values in history.items()}
        assert len(monitor.history["val_loss"]) == 3

    def test_numpy_s_numbers_are_kept_too(self, tmp_path):
        TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json").on_epoch_end(0, {"loss": np.float32(0.5)})
        assert json.loads((tmp_path / "a.json").read_text()) == {"loss": [0.5]}

    def test_a_metric_that_is_a_vector_is_kept_as_one(self, tmp_path):
        monitor = TrainingMonitor(tmp_path / "a.svg", tmp_path / "a.json")
        history = fit(compiled(keras.metrics.F1Score()), monitor, epochs=2).history
        numbers = json.loads((tmp_path / "a.json").read_text())
        assert numbers == monitor.history
        np.testing.assert_allclose(numbers["val_f1_score"], history["val_f1_score"])
        assert np.shape(numbers["f1_score"]) == (2, 2)
        assert titles(tmp_path / "a.svg") == ["Loss", "F1 score, mean of 2 values"]
        assert TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json", 2).history == numbers

    @pytest.mark.parametrize(
        ("names", "options", "expected"),
        [
            (["acc"], {}, ["Loss", "Acc"]),
            (["mae", "categorical_accuracy"], {}, ["Loss", "Categorical accuracy"]),
            (["mae"], {}, ["Loss", "Mae"]),
            (["acc", "mae"], {"metric": "mae"}, ["Loss", "Mae"]),
            ([], {}, ["Loss"]),
        ],
    )
    def test_what_is_drawn_is_named_and_no_panel_is_empty(self, tmp_path, names, options, expected):
        fit(compiled(*names), TrainingMonitor(tmp_path / "a.svg", **options))
        assert titles(tmp_path / "a.svg") == expected

    def test_a_validation_that_begins_later_keeps_its_epochs(self, tmp_path, model):
        fit(model, monitor := TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json"), epochs=5, validation_freq=2)
        losses = monitor.history["val_loss"]
        assert [loss is None for loss in losses] == [True, False, True, False, True]
        assert json.loads((tmp_path / "a.json").read_text())["val_loss"] == losses
        assert TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json", 4).history["val_loss"] == losses[:4]
        assert not EarlyStop(monitor.history, 2).reached

    def test_without_a_path_no_numbers_are_kept(self, tmp_path):
        TrainingMonitor(tmp_path / "a.png").on_epoch_end(0, results(0.5, 0.7))
        assert os.listdir(tmp_path) == ["a.png"]

    def test_a_host_that_does_not_write_knows_as_much(self, tmp_path):
        monitor = TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json", writes=False)
        monitor.on_epoch_end(0, results(0.5, 0.7))
        assert monitor.history["val_loss"] == [0.5]
        assert not os.listdir(tmp_path)

    def test_a_later_run_continues_where_it_starts(self, tmp_path):
        first = TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json")
        for epoch in range(4):
            first.on_epoch_end(epoch, {"loss": 4.0 - epoch})
        second = TrainingMonitor(tmp_path / "a.png", jsonPath=tmp_path / "a.json", startAt=2)
        assert second.history == {"loss": [4.0, 3.0]}
        second.on_epoch_end(2, {"loss": 9.0})
        assert json.loads((tmp_path / "a.json").read_text()) == {"loss": [4.0, 3.0, 9.0]}

    def test_a_run_from_the_start_replaces_earlier_curves(self, tmp_path):
        (tmp_path / "a.json").write_text('{"loss": [7]}')
        monitor = TrainingMonitor(figPath=tmp_path / "a.png", json_path=tmp_path / "a.json")
        monitor.on_epoch_end(0, {"loss": 1.0})
        assert json.loads((tmp_path / "a.json").read_text()) == {"loss": [1.0]}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"loss": [1, 2], "accuracy": [1]}', "holds 1; restore the file"),
            ("{}", "cannot be read"),
            ("[1, 2, 3]", "cannot be read"),
            ('{"loss": 5}', "cannot be read"),
            ("no JSON", "cannot be read"),
            (None, "cannot be read"),
        ],
    )
    def test_earlier_curves_must_be_there(self, tmp_path, content, message):
        if content is not None:
            (tmp_path / "a.json").write_text(content)
        with pytest.raises(UserError, match=rf"json_path: must hold the curves of the first 2 epochs; .*{message}"):
            TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json", 2)


def titles(path):
    """Return the titles of the panels of an SVG figure, from the comments that matplotlib writes beside the letters."""
    texts = re.findall(r"<!-- (.*?) -->", path.read_text())
    return [text for text in texts if re.match("[A-Z]", text)]


class TestEpochCheckpoint:
    def test_models_are_saved_every_few_epochs(self, tmp_path, model):
        fit(model, EpochCheckpoint(tmp_path / "models", every=2), epochs=5)
        assert sorted(os.listdir(tmp_path / "models")) == ["epoch_2.keras", "epoch_4.keras"]

    def test_the_count_continues_from_an_earlier_run(self, tmp_path, model):
        fit(model, EpochCheckpoint(outputPath=tmp_path, every=5, startAt=3), epochs=7)
        assert sorted(os.listdir(tmp_path)) == ["epoch_10.keras", "epoch_5.keras"]

    def test_a_saved_model_is_that_of_its_epoch(self, tmp_path, model):
        fit(model, EpochCheckpoint(tmp_path, every=1), epochs=2)
        last = keras.saving.load_model(tmp_path / "epoch_2.keras")
        first = keras.saving.load_model(tmp_path / "epoch_1.keras")
        np.testing.assert_array_equal(last.get_weights()[0], model.get_weights()[0])
        assert (first.get_weights()[0] != model.get_weights()[0]).any()

    @pytest.mark.parametrize("every", [0, -5])
    def test_never_is_not_often_enough(self, tmp_path, every):
        with pytest.raises(UserError, match=f"every: must be at least 1; received {every}"):
            EpochCheckpoint(tmp_path, every)


class TestBestModel:
    def saved(self, scores, **options):
        """Return after which epochs a model was saved."""
        epochs = []
        best = BestModel(
            "best.keras", lambda model, path, position: epochs.append((str(path), *position[:2])), **options
        )
        for epoch, score in enumerate(scores):
            best.on_epoch_end(epoch, results(*score))
        assert all(path == "best.keras" and batch == 0 for path, _, batch in epochs)
        return [epoch for _, epoch, _ in epochs]

    def test_a_higher_accuracy_is_better(self):
        assert self.saved([(0.9, 0.5), (0.1, 0.4), (2.0, 0.6), (0.1, 0.6), (0.0, 0.1)]) == [1, 3, 4]

    def test_of_equal_accuracies_the_lower_loss_is_better(self):
        assert self.saved([(0.5, 0.8), (0.5, 0.8), (0.4, 0.8), (0.6, 0.8)]) == [1, 3]

    def test_even_a_model_that_is_always_wrong_is_kept(self):
        assert self.saved([(5.0, 0.0)]) == [1]

    def test_earlier_epochs_count(self):
        history = {"val_accuracy": [0.5, 0.7], "val_loss": [0.9, 0.4], "loss": [1, 1]}
        assert self.saved([(0.1, 0.6), (0.4, 0.7), (0.3, 0.7)], history=history) == [3]

    def test_epochs_without_validation_are_passed_over(self):
        history = {"val_accuracy": [None, 0.7], "val_loss": [None, 0.4], "loss": [1, 1]}
        assert self.saved([(0.1, 0.6), (0.4, 0.8)], history=history) == [2]

    def test_less_of_a_loss_is_better(self):
        assert self.saved([(0.5, 0.5), (0.6, 0.9), (0.2, 0.1)], monitor="val_loss") == [1, 3]
        assert self.saved([(0.5, 0.5), (0.6, 0.9), (0.2, 0.1)], monitor="val_loss", mode="max") == [1, 2]
        with pytest.raises(UserError, match='mode: must be "auto", "min" or "max"; received \'least\''):
            self.saved([], mode="least")

    @pytest.mark.parametrize(
        ("metric", "monitor"),
        [("acc", "val_acc"), ("accuracy", "accuracy"), (keras.metrics.F1Score(), "val_f1_score"), ("mae", "val_loss"),
         (keras.metrics.categorical_accuracy, "val_categorical_accuracy")],
    )  # fmt: skip
    def test_any_metric_can_be_monitored(self, metric, monitor):
        best = BestModel("best.keras", lambda *_: None, monitor=monitor)
        history = fit(compiled(metric), best, epochs=2).history[monitor]
        choose = np.min if "loss" in monitor else np.max
        assert best.value == pytest.approx(choose(np.reshape(history, (2, -1)).mean(axis=1)))

    @pytest.mark.parametrize("metrics", [["acc"], [keras.metrics.F1Score(name="acc")]])
    def test_a_metric_that_is_not_there_is_an_error_before_the_first_epoch(self, metrics):
        epochs = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: pytest.fail("an epoch began"))
        rule = "monitor: must be a metric that the model is compiled with; it has val_loss, val_acc; received"
        with pytest.raises(UserError, match=rule):
            fit(compiled(*metrics), BestModel("best.keras", print), epochs)

    def test_outputs_of_one_s_own_are_named_by_keras(self):
        inputs = keras.Input((2,))
        model = keras.Model(inputs, [keras.layers.Dense(2, name=name)(inputs) for name in "ab"])
        model.compile("sgd", ["mse", "mse"], metrics=[["acc"], ["mae"]])
        for monitor in ("val_a_acc", "val_b_mae", "val_a_loss"):
            check_monitored(model, monitor)
        with pytest.raises(UserError, match="received 'val_a_auc'"):
            check_monitored(model, "val_a_auc")

    def test_a_training_without_validation_is_warned_once(self, model, caplog):
        fit(model, BestModel("best.keras", print), epochs=2, validation_data=None)
        assert [record.getMessage() for record in caplog.records] == [
            "epoch 1 has no val_accuracy, only accuracy, loss: no model is saved before there is one; pass "
            "validation_data to fit"
        ]

    def test_the_model_in_training_is_what_is_saved(self, model):
        saved = []
        fit(model, BestModel("best.keras", lambda *arguments: saved.append(arguments[0])))
        assert saved == [model]


@pytest.mark.parametrize("argument", ["every_batches", "every_minutes"])
@pytest.mark.parametrize("wrong", [0, -1])
def test_a_training_checkpoint_s_interval_is_positive(argument, wrong):
    with pytest.raises(UserError, match=f"{argument}: must be above 0, or None; received {wrong}"):
        TrainingCheckpoint("last.keras", print, rows=8, batch_size=2, **{argument: wrong})


def test_vectors_of_a_resumed_epoch_are_completed(tmp_path):
    saved = []
    start = Position(0, 1, {"f1": [1.0, 0.0]})
    checkpoint = TrainingCheckpoint(
        tmp_path / "last.keras", lambda model, path, position: saved.append(position), rows=8, batch_size=2,
        every_batches=1, start=start,
    )  # fmt: skip
    checkpoint.on_epoch_begin(0)
    checkpoint.on_train_batch_end(0, {"f1": np.array([0.0, 1.0], np.float32), "loss": 2.0})
    assert saved == [Position(0, 2, {"f1": [0.5, 0.5], "loss": 2.0})]
    assert json.loads(json.dumps(saved[0].means)) == saved[0].means
    checkpoint.on_epoch_end(0, logs := {"f1": np.array([0.0, 1.0], np.float32)})
    np.testing.assert_array_equal(logs["f1"], [0.25, 0.75])


@pytest.mark.parametrize(("seconds", "saved"), [(0.1, [1, 2, 3, 4]), (2.0, [1, 4])])
def test_saving_gets_a_tenth_of_the_time_and_the_last_epoch_always_a_file(tmp_path, monkeypatch, seconds, saved):
    """Epochs take a second; saving takes ``seconds``."""
    now, positions = [0.0], []
    monkeypatch.setattr(trainingcheckpoint.time, "monotonic", lambda: now[0])

    def save(model, path, position):
        now[0] += seconds
        positions.append(position.epoch)

    checkpoint = TrainingCheckpoint(tmp_path / "last.keras", save, rows=8, batch_size=8)
    for epoch in range(4):
        checkpoint.on_epoch_begin(epoch)
        now[0] += 1
        checkpoint.on_epoch_end(epoch, {})
    checkpoint.on_train_end()
    assert positions == saved
