"""The page is told how far a training is."""

import json
import time
from types import SimpleNamespace

from pyimagesearch.callbacks import LivePage, TrainingMonitor, TrainingSpeed, livepage
from pyimagesearch.nn.modelfile import Position
from tests.callbacks.tinytraining import BATCH, BATCHES, Times, best_model, fit


class Published:
    """In the place of a `PageServer`."""

    def __init__(self):
        self.states = []

    def publish(self, state):
        self.states.append(json.loads(json.dumps(state, allow_nan=False)))


class TestLivePage:
    def test_it_tells_how_far_the_training_is(self, tmp_path, model, generate):
        server, train = Published(), generate()
        monitor, best = TrainingMonitor(tmp_path / "a.png"), best_model()
        speed = TrainingSpeed(tmp_path / "speed.json", train)
        page = LivePage(server, train, 2, best, [monitor.history, speed.history], title="AlexNet")
        fit(model, train, generate(), [monitor, best, speed, page, Times(0.05)])
        first, last = server.states[0], server.states[-1]
        assert {key: first[key] for key in ("title", "status", "epochs", "epoch", "batches", "batch")} == {
            "title": "AlexNet", "status": "starting", "epochs": 2, "epoch": 1, "batches": BATCHES, "batch": 0,
        }  # fmt: skip
        places = [(state["epoch"], state["batch"]) for state in server.states]
        assert places == sorted(places)
        assert places[-1] == (2, BATCHES)
        assert {"training", "validating"} <= {state["status"] for state in server.states}
        assert last["history"] == {**monitor.history, **speed.history}
        assert (last["best_epoch"], last["best_accuracy"]) == (best.epoch, best.accuracy)

    def test_speed_and_time_left_are_those_of_the_clock(self, monkeypatch, generate):
        now, train, server = [100.0], generate(), Published()
        monkeypatch.setattr(livepage, "time", SimpleNamespace(monotonic=lambda: now[0]))
        page = LivePage(server, train, 3, best_model(), [])
        page.on_epoch_begin(0)
        for batch in range(4):  # the first, which is compiled, takes longer
            now[0] += 2 if batch else 60
            train.loader.waited += 0.5
            page.on_train_batch_end(batch, {})
        last = server.states[-1]
        assert last["images_per_second"] == BATCH / 2
        assert last["waiting"] == 0.25
        assert last["seconds_left"] == 2 * (3 * BATCHES - 4)

    def test_it_publishes_a_few_times_a_second(self, model, generate):
        server, train = Published(), generate()
        page = LivePage(server, train, 1, best_model(), [])
        page.on_epoch_begin(0)
        before = len(server.states)
        began = time.monotonic()
        for batch in range(20_000):
            page.on_train_batch_end(batch % BATCHES, {"loss": 0.5})
        seconds = time.monotonic() - began
        assert len(server.states) - before <= 4 * seconds + 1

    def test_a_resumed_run_starts_where_it_goes_on(self, generate):
        server = Published()
        page = LivePage(server, generate(), 3, best_model(), [{"loss": [0.5]}], Position(1, 4, {}))
        assert (server.states[-1]["epoch"], server.states[-1]["batch"]) == (2, 4)
        page.on_epoch_begin(1)
        page.on_train_batch_end(0, {})
        assert (server.states[-1]["epoch"], server.states[-1]["batch"]) == (2, 5)
        assert server.states[-1]["history"] == {"loss": [0.5]}

    def test_a_loss_that_is_no_number_can_be_shown(self, generate):
        server, history = Published(), {"loss": [float("nan")], "val_loss": [float("inf")]}
        page = LivePage(server, generate(), 2, best_model(), [history])
        page.on_epoch_begin(0)
        page.on_train_batch_end(0, {"loss": float("nan")})
        assert server.states[-1]["history"] == {"loss": [None], "val_loss": [None]}
        assert server.states[-1]["running"] == {"loss": None}
