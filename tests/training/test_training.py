"""A training that survives: its files, its resume, its results."""

import contextlib
import json
import os

import cv2
import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import TrainingSpeed
from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.nn.modelfile import Preparation, load_model, precision_of
from pyimagesearch.preprocessing import PatchPreprocessor, SimplePreprocessor
from pyimagesearch.training import Training, learning_rate, training
from pyimagesearch.training.precision import choose_precision

ROWS, BATCH, EPOCHS = 22, 4, 2
STEPS = 6
PREPARATION = Preparation(12, 12, "BGR", {"R": 1.0, "G": 2.0, "B": 3.0}, ["a", "b"])


@pytest.fixture
def path(write_dataset, rng):
    return write_dataset(rng.integers(0, 256, (ROWS, 16, 16, 3), np.uint8))


def small_network():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(), layers.Flatten(), layers.Dropout(0.3, seed=1), layers.Dense(2),
            layers.Activation("softmax", dtype="float32"),
        ]
    )  # fmt: skip
    rate = learning_rate(1e-2, "linear", EPOCHS * STEPS)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


class StoppedError(Exception):
    """Raised where a kill would strike."""


@pytest.fixture
def interrupt(monkeypatch):
    """Return a function that lets the next trainings stop after so many batches, or never for None."""

    def after(batches):
        class Stopping(TrainingSpeed):
            def on_train_batch_end(self, batch, logs=None):
                super().on_train_batch_end(batch, logs)
                Stopping.count += 1
                if Stopping.count == batches:
                    raise StoppedError

        Stopping.count = 0
        monkeypatch.setattr(training, "TrainingSpeed", Stopping)

    return after


def learn(path, model_path, build=small_network, monitor="val_accuracy", **options):
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "precision": "float32", "checkpoint_batches": 2, **options}
    rate = learning_rate(1e-2, "linear", settings["epochs"] * STEPS)
    with Training(model_path, **settings) as learning:
        train = HDF5DatasetGenerator(
            path, BATCH, [PatchPreprocessor(12, 12)], shuffle=True, seed=3, threads=1, share=learning.share
        )
        val = HDF5DatasetGenerator(path, BATCH, [SimplePreprocessor(12, 12)], threads=1, share=learning.share)
        learning.fit(build, train, val, PREPARATION, learning_rate=rate, monitor=monitor, verbose=0)
    return learning


def weights_of(path):
    return load_model(path)[0].get_weights()


def check_same_weights(one, other):
    for ours, theirs in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


class TestFiles:
    def test_they_are_named_after_the_model(self, path, tmp_path):
        found = learn(path, tmp_path / "new/net.keras")
        names = ["net.json", "net.keras", "net.png", "net_last.keras", "net_speed.json"]
        assert sorted(os.listdir(tmp_path / "new")) == names
        assert sorted(file.name for file in found.files) == names
        assert cv2.imread(str(tmp_path / "new/net.png")) is not None

    def test_two_models_in_a_folder_share_none(self, path, tmp_path):
        learn(path, tmp_path / "one.keras")
        before = {file: file.read_bytes() for file in tmp_path.glob("one*")}
        learn(path, tmp_path / "two.keras")
        assert len(before) == 5
        assert {file: file.read_bytes() for file in tmp_path.glob("one*")} == before

    @pytest.mark.parametrize("name", ["net.keras", "net_last.keras", "net.json", "net.png", "net_speed.json"])
    def test_existing_files_are_kept_unless_they_may_be_replaced(self, tmp_path, name):
        (tmp_path / name).write_text("precious")
        with pytest.raises(UserError, match=rf"^model_path: .*{name} exists"):
            Training(tmp_path / "net.keras", epochs=1, batch_size=1)
        Training(tmp_path / "net.keras", epochs=1, batch_size=1, overwrite=True)

    def test_the_last_checkpoint_may_lie_elsewhere(self, path, tmp_path):
        learn(path, tmp_path / "net.keras", last_path=tmp_path / "elsewhere/last.keras")
        assert (tmp_path / "elsewhere/last.keras").exists()
        assert not (tmp_path / "net_last.keras").exists()

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"model_path": "net.h5"}, r"^model_path: must end in \.keras, .*; received net\.h5"),
            ({"epochs": 0}, "^epochs: must be at least 1; received 0"),
            ({"precision": "float8"}, "^precision: must be one of auto, .*; received 'float8'"),
        ],
    )
    def test_values_that_cannot_be_are_refused(self, values, message):
        with pytest.raises(UserError, match=message):
            Training(**{"model_path": "net.keras", "epochs": 1, "batch_size": 1, **values})


class TestResume:
    @pytest.mark.parametrize(
        ("batches", "precision"), [(3, "float32"), (6, "float32"), (9, "mixed_bfloat16"), (9, "mixed_float16")]
    )
    def test_an_interrupted_training_ends_as_an_uninterrupted_one(self, path, tmp_path, interrupt, batches, precision):
        whole, broken = tmp_path / "whole.keras", tmp_path / "broken.keras"
        learn(path, whole, precision=precision)
        interrupt(batches)
        with pytest.raises(StoppedError):
            learn(path, broken, precision=precision)
        interrupt(None)
        found = learn(path, broken, None, precision="float32", resume=True)
        assert found.results()["precision"] == precision
        check_same_weights(broken, whole)
        check_same_weights(tmp_path / "broken_last.keras", tmp_path / "whole_last.keras")
        curves = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("broken", "whole")]
        for name, values in curves[1].items():
            np.testing.assert_allclose(curves[0][name], values, rtol=1e-3 if precision != "float32" else 1e-5)

    def test_without_a_checkpoint_it_starts_from_the_beginning_and_says_so(self, path, tmp_path, caplog):
        caplog.set_level("INFO")
        learn(path, tmp_path / "one.keras")
        assert "nothing to resume" not in caplog.text
        learn(path, tmp_path / "two.keras", resume=True)
        assert f"nothing to resume: no unfinished {tmp_path}/two_last.keras; starting" in caplog.text
        check_same_weights(tmp_path / "one.keras", tmp_path / "two.keras")

    def test_without_a_checkpoint_it_replaces_no_model(self, tmp_path):
        (tmp_path / "net.keras").write_text("of another training")
        with pytest.raises(UserError, match=r"^model_path: .*net\.keras exists"):
            Training(tmp_path / "net.keras", epochs=1, batch_size=1, resume=True)

    def test_a_replacement_that_saved_nothing_begins_again(self, path, tmp_path, caplog):
        caplog.set_level("INFO")
        learn(path, tmp_path / "net.keras")
        found = learn(path, tmp_path / "net.keras", resume=True, overwrite=True).results()
        assert "nothing to resume" in caplog.text
        assert len(found["history"]["loss"]) == EPOCHS

    def test_more_epochs_stretch_the_schedule(self, path, tmp_path):
        learn(path, tmp_path / "net.keras")
        found = learn(path, tmp_path / "net.keras", None, epochs=EPOCHS + 2, resume=True).results()
        rates = found["history"]["learning_rate"]
        assert rates[1] == pytest.approx(0, abs=1e-9)
        assert rates[2:] == pytest.approx([1e-2 / 4, 0], abs=1e-9)

    def test_other_batches_cannot_be_resumed(self, path, tmp_path):
        learn(path, tmp_path / "net.keras")
        with pytest.raises(UserError, match=r"^resume: .* must have been trained with the input and the batches"):
            learn(path, tmp_path / "net.keras", epochs=9, seed=1, resume=True)
        with pytest.raises(UserError, match=r"^epochs: must exceed the 2 epochs"):
            learn(path, tmp_path / "net.keras", resume=True)


def test_results(path, tmp_path):
    found = learn(path, tmp_path / "net.keras", epochs=3)
    results = json.loads(json.dumps(found.results(), default=str))
    figures = [
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "seconds",
        "images_per_second",
        "waiting",
    ]
    assert {name: len(values) for name, values in results["history"].items()} == dict.fromkeys(figures, 3)
    expected = {"epochs": 3, "training_images": ROWS, "validation_images": ROWS, "batch_size": BATCH}
    assert {name: results[name] for name in expected} == expected
    assert results["parameters"] == 4 * 3 * 3 * 3 + 4 + 16 + 400 * 2 + 2
    assert results["val_accuracy"] == results["history"]["val_accuracy"][results["best_epoch"] - 1]
    assert results["precision"] == "float32"
    assert results["inputs"] == [str(path)] * 2
    row = found.row()
    assert row == (
        str(tmp_path / "net.keras"), f"{results['best_epoch']} of 3", f"{results['val_accuracy']:.2%}", f"{ROWS}",
    )  # fmt: skip
    assert len(row) == len(Training.HEADER)


def test_another_metric_may_tell_the_best_model(path, tmp_path, caplog):
    def build():
        model = small_network()
        model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
        return model

    caplog.set_level("INFO")
    found = learn(path, tmp_path / "net.keras", build, "val_f1_score")
    results = found.results()
    scores = np.mean(results["history"]["val_f1_score"], axis=1)
    assert results["val_f1_score"] == pytest.approx(scores.max())
    assert found.HEADER[2] == "validation f1 score"
    assert f"best validation f1 score: {scores.max():.4g}, in epoch" in caplog.text
    with pytest.raises(UserError, match="it has val_loss, val_f1_score; received 'val_accuracy'"):
        learn(path, tmp_path / "other.keras", build)
    assert not list(tmp_path.glob("other*"))


class TestPrecision:
    @pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
    def test_alexnet_trains_resumes_and_predicts_in_it(self, path, tmp_path, precision, write_dataset, rng):
        big = write_dataset(rng.integers(0, 256, (8, 64, 64, 3), np.uint8), name="big.hdf5")
        preparation = Preparation(64, 64, "BGR", {"R": 1.0, "G": 2.0, "B": 3.0}, ["a", "b"])

        def build():
            model = AlexNet.build(64, 64, 3, 2)
            model.compile(keras.optimizers.Adam(1e-4), "binary_crossentropy", metrics=["accuracy"])
            return model

        def learn(epochs, **options):
            with Training(tmp_path / "net.keras", epochs=epochs, batch_size=4, precision=precision, **options) as found:
                generators = [HDF5DatasetGenerator(big, 4, threads=1) for _ in range(2)]
                return found.fit(build, *generators, preparation, verbose=0)

        learn(1)
        model = learn(2, resume=True)
        assert keras.config.dtype_policy().name == "float32"
        loaded, _ = load_model(tmp_path / "net_last.keras")
        assert precision_of(loaded) == precision
        batch = rng.integers(0, 256, (3, 64, 64, 3)).astype(np.float32)
        probabilities = np.asarray(loaded.predict_on_batch(batch))
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(probabilities, model.predict_on_batch(batch))

    def test_auto_takes_what_the_hardware_has(self, monkeypatch):
        from pyimagesearch.training import precision

        for has, name in ((True, "mixed_bfloat16"), (False, "float32")):
            monkeypatch.setattr(precision, "_computes_in_bfloat16", lambda has=has: has)
            assert choose_precision("auto") == name
            assert choose_precision("mixed_float16") == "mixed_float16"

    def test_a_failed_training_leaves_the_policy_of_before(self, path, tmp_path):
        def fail():
            raise StoppedError

        with contextlib.suppress(StoppedError):
            learn(path, tmp_path / "net.keras", fail, precision="mixed_bfloat16")
        assert keras.config.dtype_policy().name == "float32"


class TestTensorBoard:
    def test_a_missing_package_is_named(self, monkeypatch, tmp_path):
        monkeypatch.setattr(training, "find_spec", lambda name: None)
        with pytest.raises(UserError, match=r"^tensorboard: needs .* pip install 'pyimagesearch\[tensorboard\]'"):
            Training(tmp_path / "net.keras", epochs=1, batch_size=1, tensorboard=tmp_path / "board")
        assert not list(tmp_path.iterdir())

    def test_its_folder_is_made_and_must_not_be_a_file(self, monkeypatch, tmp_path):
        monkeypatch.setattr(training, "find_spec", lambda name: object())
        Training(tmp_path / "net.keras", epochs=1, batch_size=1, tensorboard=tmp_path / "a/b")
        assert (tmp_path / "a/b").is_dir()
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match=r"^tensorboard: must be a folder to write into; received .*file"):
            Training(tmp_path / "net.keras", epochs=1, batch_size=1, tensorboard=tmp_path / "file")

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_it_gets_the_curves_of_both_runs(self, path, tmp_path):
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        from tensorboard.util.tensor_util import make_ndarray

        folder = tmp_path / "board"
        learn(path, tmp_path / "net.keras", tensorboard=folder)
        history = learn(path, tmp_path / "net.keras", None, epochs=4, resume=True, tensorboard=folder).results()[
            "history"
        ]
        for split, names in (
            ("train", ["loss", "accuracy", "learning_rate", "images_per_second"]), ("validation", ["loss", "accuracy"]),
        ):  # fmt: skip
            board = accumulator.EventAccumulator(str(folder / split)).Reload()
            for name in names:
                events = board.Tensors(f"epoch_{name}")
                values = [float(make_ndarray(event.tensor_proto)) for event in events]
                assert [event.step for event in events] == [0, 1, 2, 3]
                assert values == pytest.approx(history[f"val_{name}" if split == "validation" else name], rel=1e-5)
