import re

import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.modelfile import load_model


@pytest.fixture(scope="module")
def run(call, patterns, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar")
    np.savez(folder / "cifar.npz", **patterns)
    options = ["--epochs", "10", "--batch-size", "16", "--output", folder / "output"]
    return call("cifar10_from_scratch", "--dataset", folder / "cifar.npz", *options), folder / "output"


def test_the_network_learns(run):
    outcome, _ = run
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    history = outcome.result["history"]
    assert len(history["val_accuracy"]) == 10
    assert history["loss"][-1] < history["loss"][0]
    assert outcome.result["accuracy"] > 0.25
    assert outcome.result["accuracy"] == pytest.approx(history["val_accuracy"][-1])
    assert re.search(rf"^{outcome.result['accuracy']:.2%} +about 65% +100$", outcome.out, re.MULTILINE)


def test_all_files_are_there(run):
    outcome, output = run
    names = ["train.hdf5", "test.hdf5", "cifarnet.keras", "training.png", "training.json"]
    assert outcome.result["files"] == [output / name for name in names]
    assert sorted(path.name for path in output.iterdir()) == sorted(names)


def test_the_saved_model_knows_its_input_and_gives_the_accuracy_again(run):
    outcome, output = run
    model, preparation = load_model(output / "cifarnet.keras")
    assert preparation.label_names[0] == "airplane"
    test = HDF5DatasetGenerator(output / "test.hdf5", 32, preparation.normalize(), classes=10)
    again = np.mean(model.predict(test, verbose=0).argmax(axis=1) == test.labels)
    assert again == pytest.approx(outcome.result["accuracy"])


def test_the_sample_has_two_classes_and_needs_no_file(call, tmp_path):
    outcome = call("cifar10_from_scratch", "-d", "sample", "-e", "1", "-o", tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 200
    assert load_model(tmp_path / "cifarnet.keras")[1].label_names == ["cat", "dog"]


def test_files_of_an_earlier_run_are_kept(run, call):
    outcome = call("cifar10_from_scratch", "-d", "sample", "-o", run[1])
    assert outcome.code == 2
    assert "--output: " in outcome.err
    assert "cifarnet.keras exists" in outcome.err
