"""A training is measured, and its curves are kept, without being changed by that."""

import json
import time

import keras
import pytest

from pyimagesearch.callbacks import TrainingMonitor, TrainingSpeed
from pyimagesearch.nn.modelfile import Position
from tests.callbacks.tinytraining import BATCH, FIGURES, ROWS, Times, fit


class Slow:
    """A preprocessor that takes its time."""

    def __init__(self, seconds):
        self.seconds = seconds

    def preprocess(self, image):
        time.sleep(self.seconds)
        return image


class TestLearningRate:
    def test_that_at_the_end_of_the_epoch_is_kept(self, tmp_path, model, generate):
        monitor = TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json")
        fit(model, generate(), generate(), [monitor])
        assert json.loads((tmp_path / "a.json").read_text())["learning_rate"] == pytest.approx([0.0005, 0.0])

    def test_a_constant_one_is_written_as_it_was_given(self, tmp_path, model, generate):
        model.compile(keras.optimizers.Adam(3e-4), "categorical_crossentropy")
        monitor = TrainingMonitor(tmp_path / "a.png")
        fit(model, generate(), generate(), [monitor])
        assert monitor.history["learning_rate"] == [0.0003, 0.0003]

    def test_curves_of_an_earlier_version_go_on_without(self, tmp_path, model, generate):
        (tmp_path / "a.json").write_text('{"loss": [1.0], "accuracy": [0.5], "val_loss": [1.0], "val_accuracy": [0.5]}')
        monitor = TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json", start_at=1)
        fit(model, generate(), generate(), [monitor], start=Position(1))
        assert {name: len(values) for name, values in monitor.history.items()} == dict.fromkeys(
            ["loss", "accuracy", "val_loss", "val_accuracy"], 2
        )


class TestTrainingSpeed:
    def test_every_epoch_has_its_figures(self, tmp_path, model, generate):
        train = generate()
        speed = TrainingSpeed(tmp_path / "speed.json", train)
        began = time.perf_counter()
        fit(model, train, generate(), [speed], epochs=3)
        took = time.perf_counter() - began
        assert json.loads((tmp_path / "speed.json").read_text()) == speed.history
        assert {name: len(values) for name, values in speed.history.items()} == dict.fromkeys(FIGURES, 3)
        assert sum(speed.history["seconds"]) <= took
        for seconds, rate in zip(speed.history["seconds"], speed.history["images_per_second"], strict=True):
            assert 0 < ROWS / rate <= seconds  # training is a part of the epoch
        assert all(0 <= share <= 1 for share in speed.history["waiting"])

    def test_a_host_that_does_not_write_measures_all_the_same(self, tmp_path, model, generate):
        train = generate()
        speed = TrainingSpeed(tmp_path / "speed.json", train, writes=False)
        fit(model, train, None, [speed])
        assert len(speed.history["seconds"]) == 2
        assert not (tmp_path / "speed.json").exists()

    def test_slow_data_are_waited_for_and_a_slow_model_is_not(self, tmp_path, model, generate):
        def share(train, pause):
            speed = TrainingSpeed(tmp_path / "speed.json", train)
            fit(model, train, None, [speed, Times(pause)], epochs=2)
            return speed.history["waiting"][-1]

        assert share(generate(Slow(0.03)), 0) > 2 * share(generate(), 0.05)

    def test_curves_stay_free_of_times_and_later_callbacks_see_them(self, tmp_path, model, generate):
        train, monitor = generate(), TrainingMonitor(tmp_path / "a.png")
        speed, seen = TrainingSpeed(tmp_path / "speed.json", train), {}
        later = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(logs))
        fit(model, train, generate(), [monitor, speed, later])
        assert not set(FIGURES) & set(monitor.history)
        assert {name: [seen[name]] for name in FIGURES[1:]} == {name: speed.history[name][-1:] for name in FIGURES[1:]}

    def test_a_resumed_run_continues_and_counts_the_images_that_it_saw(self, tmp_path, model, generate):
        earlier = {"seconds": [1.0, 5.0, 7.0], "images_per_second": [9.0, 9.0, 9.0], "waiting": [0.5, 0.5, 0.5]}
        (tmp_path / "speed.json").write_text(json.dumps(earlier))
        train = generate()
        start = Position(1, 4, {})
        speed, times = TrainingSpeed(tmp_path / "speed.json", train, start), Times(0.1)
        fit(model, train, None, [times, speed], start=start)
        assert times.count == 2
        assert speed.history["seconds"][0] == 1.0
        assert {len(values) for values in speed.history.values()} == {2}
        images = speed.history["images_per_second"][1] * speed.history["seconds"][1]
        assert images == pytest.approx(ROWS - 4 * BATCH)

    @pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"seconds": 5}', '{"seconds": [1.5]}'])
    def test_a_training_does_without_the_figures_of_its_past(self, tmp_path, generate, content):
        if content is not None:
            (tmp_path / "speed.json").write_text(content)
        known = [1.5] if content == '{"seconds": [1.5]}' else [None]
        speed = TrainingSpeed(tmp_path / "speed.json", generate(), Position(2))
        assert speed.history == {"seconds": [*known, None], "images_per_second": [None] * 2, "waiting": [None] * 2}
