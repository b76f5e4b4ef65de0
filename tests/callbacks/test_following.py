"""A training is measured and followed without being changed by it."""

import importlib.util
import json
import threading
import time
import urllib.request
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import (
    BestModel,
    LivePage,
    TrainingMonitor,
    TrainingSpeed,
    followers,
    livepage,
    training_results,
)
from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.modelfile import Position
from pyimagesearch.nn.training import fit_from
from pyimagesearch.watch import PageServer

ROWS, BATCH = 22, 4
BATCHES = 6
FIGURES = ["seconds", "images_per_second", "waiting"]


class Slow:
    """A preprocessor that takes its time."""

    def __init__(self, seconds):
        self.seconds = seconds

    def preprocess(self, image):
        time.sleep(self.seconds)
        return image


class Published:
    """In the place of a `PageServer`."""

    def __init__(self):
        self.states = []

    def publish(self, state):
        self.states.append(json.loads(json.dumps(state, allow_nan=False)))


@pytest.fixture
def path(write_dataset, rng):
    return write_dataset(rng.integers(0, 256, (ROWS, 8, 8, 3), np.uint8))


@pytest.fixture
def generate(path):
    made = []

    def make(*preprocessors, **options):
        made.append(HDF5DatasetGenerator(path, BATCH, preprocessors, **{"threads": 1, **options}))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    model = keras.Sequential(layers)
    rate = keras.optimizers.schedules.PolynomialDecay(1e-3, 2 * BATCHES, 0.0)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, train, validation, callbacks, epochs=2, start=None):
    fit_from(model, train, validation, epochs, start or Position(), callbacks, verbose=0)


def best_model():
    return BestModel("best.keras", lambda *_: None)


def serving():
    return [thread for thread in threading.enumerate() if thread.name == "PageServer"]


class Times(keras.callbacks.Callback):
    """Counts the batches and sleeps after each."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds, self.count = seconds, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        time.sleep(self.seconds)


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

    def test_a_resumed_run_goes_on_and_counts_the_images_that_it_saw(self, tmp_path, model, generate):
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
    def test_a_training_goes_on_without_the_figures_of_its_past(self, tmp_path, generate, content):
        if content is not None:
            (tmp_path / "speed.json").write_text(content)
        known = [1.5] if content == '{"seconds": [1.5]}' else [None]
        speed = TrainingSpeed(tmp_path / "speed.json", generate(), Position(2))
        assert speed.history == {"seconds": [*known, None], "images_per_second": [None] * 2, "waiting": [None] * 2}


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
        with (
            PageServer(0) as other,
            pytest.raises(UserError, match=f"--watch: port {other.server_port} cannot be used"),
            followers(other.server_port, None, generate(), 2, best_model(), [], Position(), ""),
        ):
            pass

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
        for part, names in (("train", ["loss", "images_per_second"]), ("validation", ["loss"])):
            board = EventAccumulator(str(folder / part)).Reload()
            for name in names:
                events = board.Tensors(f"epoch_{name}")
                values = [float(make_ndarray(event.tensor_proto)) for event in events]
                key = f"val_{name}" if part == "validation" else name
                assert [event.step for event in events] == [0, 1, 2, 3]
                assert values == pytest.approx({**monitor.history, "images_per_second": rates}[key], rel=1e-5)


def test_results_hold_every_epoch_s_figures(tmp_path, model, generate):
    train, validation, best = generate(), generate(), best_model()
    monitor, speed = TrainingMonitor(tmp_path / "a.png"), TrainingSpeed(tmp_path / "speed.json", train)
    fit(model, train, validation, [monitor, best, speed], epochs=3)
    results = json.loads(json.dumps(training_results(model, train, validation, best, [monitor.history, speed.history])))
    names = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", *FIGURES]
    assert {name: len(values) for name, values in results["history"].items()} == dict.fromkeys(names, 3)
    expected = {"epochs": 3, "training_images": ROWS, "validation_images": ROWS, "batch_size": BATCH}
    assert {name: results[name] for name in expected} == expected
    assert results["parameters"] == 8 * 8 * 3 * 2 + 2
    assert results["val_accuracy"] == results["history"]["val_accuracy"][results["best_epoch"] - 1]
    assert results["build"] == train.loader.header.build
