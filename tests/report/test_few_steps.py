"""Pages of records that lack steps, or hold unusual ones."""

import numpy as np
import pytest

from pyimagesearch.report.page import render
from pyimagesearch.runs.record import read_runs
from tests.report.reading import Reader, read_page


def test_steps_that_are_missing_leave_a_sentence(record):
    record.add("crop_accuracy", status="failed", error="no model")
    text = read_page(record).text
    for sentence in (
        "Nothing was tried on test images yet",
        "no finished build,",
        "it is not known what the network is fed",
        "no finished training",
        "The record holds no evaluation",
        "No step was done",
        "crop_accuracy, 22 November 2026, 06:01 UTC: failed: no model",
    ):
        assert sentence in text


@pytest.mark.parametrize(
    "script", ["build_dogs_vs_cats", "train_alexnet", "crop_accuracy", "extract_features", "train_model"]
)
def test_every_step_alone_makes_a_page(script, record, runs):
    run = [run for run in runs if run.script.endswith(script) and run.status == "done"][-1]
    record.settings = run.config["settings"]
    record.add(script, run.results)
    read = read_page(record)
    assert read.headings.count(2) == 6
    assert "Undefined" not in read.text


def test_a_fine_tuned_network(record, runs):
    trained = next(run for run in runs if run.script.endswith("train_alexnet")).results
    model = "output/fine_tuned.keras"
    entry = {"path": model, "bytes": 1, "identity": "x"}
    record.add("fine_tune", trained, outputs=[entry])
    crops = next(run for run in runs if "rank1" in run.results).results
    record.add("crop_accuracy", crops | {"model": model}, inputs=[entry])
    text = read_page(record).text
    assert "Fine-tuned network, 10 crops" in text
    assert "AlexNet, 10 crops" not in text
    assert "The fine-tuned network is right for 93.75% of the 12 validation images" in text


def test_an_unknown_network_is_called_by_its_file(record, runs):
    crops = next(run for run in runs if "rank1" in run.results).results
    record.settings = {"MODEL_PATH": "output/alexnet.keras"}
    record.add("crop_accuracy", crops | {"model": "elsewhere/mine.keras"})
    assert "mine.keras, 10 crops" in read_page(record).text


def test_epochs_that_left_no_figures(record, runs):
    trained = next(run for run in runs if run.script.endswith("train_alexnet")).results
    speed = {"seconds": [None, 2.0], "images_per_second": [None, 20.0], "waiting": [None, 0.5]}
    history = {"loss": [2.0, 1.0], "val_loss": [2.0, None], "accuracy": [0.5, 0.75], "val_accuracy": [0.25]} | speed
    record.add("train_alexnet", trained | {"history": history})
    text = read_page(record).text
    assert "1 2.0000 2.0000 50.00% 25.00% \N{EN DASH} \N{EN DASH} \N{EN DASH} " in text
    assert "2 1.0000 \N{EN DASH} 75.00% \N{EN DASH} 2.0 20.0 50.00%" in text


def test_many_classes(record):
    """A confusion matrix that fits no page becomes a list of what is mixed up most; the page stays small."""
    from pyimagesearch.ml.metrics import evaluate_predictions

    names = [f"breed {n}" for n in range(120)]
    rng = np.random.default_rng(0)
    truth = np.arange(600) % 120
    probabilities = rng.dirichlet(np.full(120, 0.05), 600)
    found = evaluate_predictions(truth, probabilities, names)
    classes = dict.fromkeys(names, 10)
    record.add("build_dogs_vs_cats", {"images": 1200, "classes": classes, "splits": {"train": classes}})
    record.add("crop_accuracy", {"rank1": found["accuracy"], "rank1_crops": found["accuracy"], "images": 600,
                                 "evaluation": found, "evaluation_crops": found})  # fmt: skip
    html = render(read_runs(record.path))
    read = Reader(html)
    assert "What is mixed up most" in read.text
    assert "100 others are in the table alone" in read.text
    assert "120 classes" in read.text
    assert len(html) < 1_000_000


def test_a_rare_class_has_its_recall_beside_the_accuracy(record):
    from pyimagesearch.ml.metrics import evaluate_predictions

    truth = np.array([0] * 17 + [1] * 3)
    found = [evaluate_predictions(truth, None, ["cat", "<dog>"], predictions=truth * right) for right in (0, 1)]
    record.add("crop_accuracy", {"rank1": 0.85, "rank1_crops": 1.0, "images": 20, "evaluation": found[0],
                                 "evaluation_crops": {**found[1], "rarest": None}})  # fmt: skip
    html = render(read_runs(record.path))
    text = Reader(html).text
    assert "95% interval Balanced accuracy Recall of the rarest class Test images" in text
    assert "50.00% 0.00% of 3, <dog> 20" in text
    assert "the balanced accuracy is the mean recall of the classes" in text
    former = {key: value for key, value in found[0].items() if key not in ("balanced_accuracy", "rarest")}
    record.add("crop_accuracy", {"rank1": 0.85, "rank1_crops": 1.0, "images": 20, "evaluation": former})
    assert "alanced accuracy" not in Reader(render(read_runs(record.path))).text
