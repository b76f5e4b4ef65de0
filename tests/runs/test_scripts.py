"""JSON output and records of the scripts that need no training."""

import itertools
import json
import sys

import cv2
import numpy as np
import pytest

from dogs_vs_cats import build_dogs_vs_cats, draw_sample, explore, extract_features, predict
from pyimagesearch.errors import UserError
from pyimagesearch.runs.record import read_runs

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SETTINGS = """
from config.dogs_vs_cats_config import *

IMAGES_PATH = "images"
STORED_SIZE, INPUT_SIZE = 20, 16
OUTPUT_PATH = "output/foxes"
"""
_names = (f"recorded_config_{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a file with a network of a few numbers."""
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    layers = [keras.Input((16, 16, 3)), keras.layers.AveragePooling2D(8), keras.layers.Flatten()]
    described = Preparation(16, 16, "BGR", dict.fromkeys("RGB", 100.0), ["cat", "dog"])
    save_model(keras.Sequential([*layers, keras.layers.Dense(2, "softmax")]), path, described, Position())
    return path


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return the name of a config in the working directory, beside a folder of 20 images and an unreadable one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(20):
        label = ("cat", "dog")[number % 2]
        cv2.imwrite(f"images/{label}.{number}.png", rng.integers(0, 256, (20, 20, 3), np.uint8))
    (tmp_path / "images/cat.bad.png").write_text("no image")
    name = next(_names)
    (tmp_path / f"{name}.py").write_text(SETTINGS)
    return name


@pytest.fixture
def printed(capsys):
    """Return a function that calls a script with ``--json``, and returns what it printed."""

    def call(script, *arguments):
        assert script.main.run([*map(str, arguments), "--json", "--quiet"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out)

    return call


def test_the_steps_of_a_project(config, printed, model, tmp_path):
    settings = ("--config", config)
    built = printed(build_dogs_vs_cats, "--on-error", "skip", *settings)
    assert built["classes"] == {"cat": 10, "dog": 10}
    assert built["splits"] == {
        "train": {"cat": 8, "dog": 8}, "val": {"cat": 1, "dog": 1}, "test": {"cat": 1, "dog": 1},
    }  # fmt: skip
    assert built["skipped"].keys() == {"cat.bad.png"}
    assert built["duplicates"] == {"pictures": 0, "groups": [], "across_splits": [], "conflicts": []}
    assert built["means"] == json.loads((tmp_path / "output/foxes/mean.json").read_text())
    assert (built["stored_size"], built["encoding"], built["dataset"]) == (20, "raw", "images")
    assert built["bytes"].keys() == set(built["files"])

    extracted = printed(extract_features, "-d", "output/foxes/train.hdf5", "-m", model, *settings)
    assert (extracted["images"], extracted["features"]) == (16, 12)
    assert extracted["seconds"] > 0
    assert extracted["images_per_second"] > 0
    assert extracted["inputs"] == ["output/foxes/train.hdf5", str(model)]

    explored = printed(explore, *settings)
    assert (explored["images"], explored["readable"]) == (21, 20)

    runs = read_runs("output/foxes")
    assert [run.step for run in runs] == ["build", "features", "explore"]
    for run, result in zip(runs, (built, extracted, explored), strict=True):
        assert run.status == "done"
        assert run.results == {name: value for name, value in result.items() if name not in ("inputs", "files")}
        assert [each["path"] for each in run.outputs] == result["files"]
        assert all(each["identity"] for each in run.outputs)
    train = next(each for each in runs[0].outputs if each["path"].endswith("train.hdf5"))
    assert runs[1].inputs[0] == train
    backend = sys.modules["keras"].config.backend()
    assert [run.backend for run in runs] == [None, backend, None]
    assert [bool(run.devices) for run in runs] == [False, True, False]


def test_predictions(config, printed, model, tmp_path, capsys):
    command = ["images/cat.0.png", "images/dog.1.png", "-m", str(model), "--config", config]
    summary = printed(predict, *command, "-o", "predictions.csv", "-f", "csv")
    assert summary["images"] == 2
    assert sum(summary["classes"].values()) == 2
    assert summary["files"] == ["predictions.csv"]
    predict.main([*command, "-f", "json", "--quiet"])
    out, err = capsys.readouterr()
    assert [row["image"] for row in json.loads(out)] == command[:2]
    assert err == ""
    with pytest.raises(UserError, match="--json: needs --output for the predictions"):
        predict.main([*command, "--json"])
    assert not (tmp_path / "output").exists()


def test_a_drawn_sample(tmp_path, monkeypatch, printed):
    monkeypatch.chdir(tmp_path)
    arguments = ("--images", 2, "--jobs", 1, "--seed", 5)
    drawn = printed(draw_sample, "--output", "one", *arguments)
    assert (drawn["images"], drawn["folder"], drawn["seed"]) == (2, "one", 5)
    assert not (tmp_path / "output").exists()
    (tmp_path / "output").mkdir()
    printed(draw_sample, "--output", "two", *arguments)
    (run,) = read_runs("output")
    assert (run.seed, run.config, run.outputs[0]["path"]) == (5, None, "two")
