"""A training is followed without being changed by it."""

import importlib.util
import json
import threading
import urllib.request

import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import TrainingMonitor, TrainingSpeed, followers
from pyimagesearch.errors import UserError
from pyimagesearch.nn.modelfile import Position
from pyimagesearch.watch import PageServer
from tests.callbacks.tinytraining import best_model, fit


def serving():
    return [thread for thread in threading.enumerate() if thread.name == "PageServer"]


class TestFollowers:
    def test_the_page_is_there_while_the_training_runs(self, tmp_path, model, generate, capsys):
        train, best = generate(), best_model()
        answers = []

        class Visit(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                url = capsys.readouterr().out.rpartition("[INFO] watch at ")[2].strip() if not answers else answers[0]
                with urllib.request.urlopen(url + "state.json") as answer:
                    answers.extend([url, json.load(answer)])

        monitor = TrainingMonitor(tmp_path / "a.png")
        with followers(0, None, train, 2, best, [monitor.history], Position(), "AlexNet") as more:
            fit(model, train, generate(), [monitor, best, *more, Visit()])
        assert answers[1]["epoch"] == 1
        assert answers[3]["history"]["loss"] == monitor.history["loss"]
        assert answers[0].startswith("http://127.0.0.1:")
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(answers[0])
        assert not serving()

    def test_watching_does_not_change_what_is_learnt(self, model, generate):
        def learn(port):
            keras.utils.set_random_seed(3)
            copy, train = keras.models.clone_model(model), generate(shuffle=True, seed=5)
            copy.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
            with followers(port, None, train, 2, best_model(), [], Position(), "") as more:
                fit(copy, train, generate(), more)
            return copy.get_weights()

        for ours, theirs in zip(learn(0), learn(None), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_a_training_that_fails_leaves_no_server(self, generate):
        with (
            pytest.raises(RuntimeError, match="out of order"),
            followers(0, None, generate(), 2, best_model(), [], Position(), ""),
        ):
            raise RuntimeError("out of order")
        assert not serving()

    def test_a_busy_port_is_said_before_the_training(self, generate):
        with PageServer(0) as other:
            following = followers(other.server_port, None, generate(), 2, best_model(), [], Position(), "")
            with pytest.raises(UserError, match=f"--watch: port {other.server_port} cannot be used"):
                following.__enter__()

    @pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="TensorBoard is not installed")
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_tensorboard_gets_the_curves_of_both_runs(self, tmp_path, model, generate):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray

        folder, train, rates = tmp_path / "board", generate(), []
        for start in (Position(), Position(2)):
            speed = TrainingSpeed(tmp_path / "speed.json", train, start)
            monitor = TrainingMonitor(tmp_path / "a.png", tmp_path / "a.json", start.epoch)
            histories = [monitor.history, speed.history]
            with followers(None, str(folder), train, 4, best_model(), histories, start, "") as more:
                fit(model, train, generate(), [monitor, speed, *more], epochs=start.epoch + 2, start=start)
            rates = speed.history["images_per_second"]
        for part, names in (
            ("train", ["loss", "accuracy", "learning_rate", "images_per_second"]), ("validation", ["loss", "accuracy"]),
        ):  # fmt: skip
            board = EventAccumulator(str(folder / part)).Reload()
            for name in names:
                events = board.Tensors(f"epoch_{name}")
                values = [float(make_ndarray(event.tensor_proto)) for event in events]
                key = f"val_{name}" if part == "validation" else name
                assert [event.step for event in events] == [0, 1, 2, 3]
                assert values == pytest.approx({**monitor.history, "images_per_second": rates}[key], rel=1e-5)
