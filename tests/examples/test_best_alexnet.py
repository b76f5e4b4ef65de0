"""The config of the long training of AlexNet, and the record of the runs behind its figures."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from pyimagesearch.report.page import render
from pyimagesearch.runs.record import read_runs
from tests.examples.test_transfer import write_images

RECORDS = Path(__file__).resolve().parents[2] / "benchmarks/results/alexnet-20000"
ACCURACIES = {42: (0.9525, 0.9565), 43: (0.9425, 0.957)}
RECIPE = (
    "STORED_SIZE", "INPUT_SIZE", "CHANNELS", "AUGMENTATION", "BATCH_SIZE", "EPOCHS", "LEARNING_RATE",
    "LEARNING_RATE_DECAY", "WARM_UP_EPOCHS", "REGULARIZATION", "WEIGHT_DECAY", "DROPOUT", "LABEL_SMOOTHING",
    "CLASS_WEIGHT", "PRECISION",
)  # fmt: skip


@pytest.mark.parametrize("seed", ACCURACIES)
def test_the_record_is_of_this_config(seed):
    runs = {run.step: run for run in read_runs(RECORDS / f"seed-{seed}")}
    config = import_module("config.best_alexnet_config")
    recipe = {name: json.loads(json.dumps(getattr(config, name))) for name in RECIPE}
    assert {name: runs["train"].settings[name] for name in RECIPE} == recipe
    assert (runs["crops"].results["rank1"], runs["crops"].results["rank1_crops"]) == ACCURACIES[seed]
    for run in runs.values():
        assert (run.status, run.command[3:5]) == ("done", ["--config", "config.best_alexnet_config"])


def test_a_page_shows_the_record():
    page = render(read_runs(RECORDS / "seed-42"))
    assert "<strong>95.65%</strong> of 2,000 test images" in page
    assert "AlexNet, 10 crops" in page


def test_the_config_trains(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images", ["cat", "dog"])
    (tmp_path / "tiny_alexnet_config.py").write_text(
        "from config.best_alexnet_config import *\n"
        "LABEL_OF = label_from_folder\n"
        "STORED_SIZE, INPUT_SIZE, BATCH_SIZE, EPOCHS, WARM_UP_EPOCHS = 72, 64, 8, 2, 1\n"
    )
    config = ["--config", "tiny_alexnet_config"]
    built = call("dogs_vs_cats.build_dogs_vs_cats", "-d", "images", *config)
    assert built.code == 0, built.err
    trained = call("dogs_vs_cats.train_alexnet", *config)
    assert trained.code == 0, trained.err
    assert trained.result["precision"] == "mixed_bfloat16"
    tested = call("dogs_vs_cats.crop_accuracy", *config)
    assert tested.code == 0, tested.err
    assert tested.result["images"] == tested.result["crops_against_none"]["images"] == 3
