import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.modelfile import load_model

ROOT = Path(__file__).resolve().parents[2]
MNIST = ROOT.parent / "shared/data/mnist.npz"


@pytest.fixture(scope="module")
def run(call, digits, tmp_path_factory):
    output = tmp_path_factory.mktemp("mnist")
    return call("mnist", "--dataset", digits, "--epochs", "3", "--output", output), output


def test_all_three_networks_are_trained_and_compared(run):
    outcome, output = run
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert outcome.result["images"] == 100
    accuracy = outcome.result["accuracy"]
    assert list(accuracy) == ["softmax", "mlp", "cnn"]
    names = ["train.hdf5", "test.hdf5", "softmax.keras", "mlp.keras", "cnn.keras"]
    assert outcome.result["files"] == [output / name for name in names]
    assert sorted(path.name for path in output.iterdir()) == sorted(names)
    for name, published in (("softmax", "0.886"), ("mlp", "0.925"), ("cnn", "0.990")):
        assert re.search(rf"^{name} +{accuracy[name]:.4f} +{published}$", outcome.out, re.MULTILINE)
    assert "[INFO] tested on 100 images;" in outcome.out


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
def test_a_saved_model_knows_its_input_and_gives_the_accuracy_again(name, run):
    outcome, output = run
    model, preparation = load_model(output / f"{name}.keras")
    assert preparation.label_names == list("0123456789")
    test = HDF5DatasetGenerator(output / "test.hdf5", 32, preparation.normalize(), classes=10)
    again = np.mean(model.predict(test, verbose=0).argmax(axis=1) == test.labels)
    assert again == pytest.approx(outcome.result["accuracy"][name])


def test_the_convolutional_network_learns_drawn_digits(call, digits, tmp_path):
    outcome = call("mnist", "-d", digits, "--network", "cnn", "-e", "12", "-o", tmp_path)
    assert outcome.result["accuracy"]["cnn"] > 0.7, outcome.out


def test_a_network_learns_the_same_alone_as_after_others(call, digits, tmp_path, run):
    outcome = call("mnist", "-d", digits, "--network", "mlp", "-e", "3", "-o", tmp_path)
    assert outcome.result["accuracy"] == {"mlp": run[0].result["accuracy"]["mlp"]}
    models = [load_model(folder / "mlp.keras")[0] for folder in (tmp_path, run[1])]
    for weights in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(*weights)


def test_another_seed_is_another_run(call, digits, tmp_path, run):
    call("mnist", "-d", digits, "--network", "softmax", "-e", "3", "-o", tmp_path, "--seed", "7")
    weights = [load_model(folder / "softmax.keras")[0].get_weights()[0] for folder in (tmp_path, run[1])]
    assert not np.array_equal(*weights)


def test_the_sample_needs_no_file(call, tmp_path):
    outcome = call("mnist", "-d", "sample", "--network", "softmax", "-o", tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 300
    assert outcome.result["accuracy"]["softmax"] > 0.4


@pytest.mark.skipif(not MNIST.is_file(), reason="MNIST is not on this machine")
def test_a_part_of_mnist_itself(call, tmp_path):
    with np.load(MNIST) as file:
        np.savez(tmp_path / "part.npz", **{name: file[name][::10] for name in file})  # it may be sorted
    outcome = call("mnist", "-d", tmp_path / "part.npz", "--network", "softmax", "-o", tmp_path / "output")
    assert outcome.code == 0, outcome.err
    assert outcome.result["accuracy"]["softmax"] > 0.6


@pytest.mark.parametrize("file", ["train.hdf5", "test.hdf5", "mlp.keras"])
def test_files_of_an_earlier_run_are_kept_unless_forced(file, call, digits, tmp_path):
    (tmp_path / file).write_text("precious")
    options = ["-d", digits, "--network", "mlp", "-e", "1", "-o", tmp_path]
    outcome = call("mnist", *options)
    assert outcome.code == 2
    assert f"--output: {tmp_path / file} exists" in outcome.err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]
    assert call("mnist", *options, "--force").code == 0


def test_a_download_that_fails_is_one_line(call, tmp_path, monkeypatch):
    def fail():
        raise Exception("URL fetch failure on https://example.org/mnist.npz: no route")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    outcome = call("mnist", "-o", tmp_path / "output")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "--dataset: MNIST is not in ~/.keras/datasets and could not be downloaded (URL fetch failure" in outcome.err
    assert "connect to the internet once, pass a file that you have, or try --dataset sample" in outcome.err
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-e", "0"], "--epochs: must be at least 1; received 0"),
        (["--network", "vgg"], "--network: invalid choice: 'vgg'"),
        (["--seed", "-1"], "--seed: must be at least 0; received -1"),
    ],
)
def test_wrong_options(options, message, call, tmp_path):
    outcome = call("mnist", "-d", "sample", "-o", tmp_path, *options)
    assert outcome.code == 2
    assert message in outcome.err
    assert not list(tmp_path.iterdir())


def test_what_keras_downloads_is_packed(call, digits, tmp_path, monkeypatch):
    with np.load(digits) as file:
        loaded = (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: loaded)
    outcome = call("mnist", "--network", "softmax", "-e", "1", "-o", tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 100


@pytest.mark.parametrize("script", ["mnist", "cifar10_from_scratch"])
def test_help_waits_for_no_keras(script):
    command = [sys.executable, "-X", "importtime", "-m", f"examples.{script}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"--dataset", "--epochs", "--output", "--seed", "--force"} <= set(done.stdout.replace(",", " ").split())
    assert not {"keras", "tensorflow", "h5py"} & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


@pytest.mark.parametrize("script", ["mnist", "cifar10_from_scratch"])
def test_a_script_run_as_a_file_from_any_folder_says_what_is_wrong(script, tmp_path):
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TF_CPP_MIN_LOG_LEVEL")}
    command = [sys.executable, str(ROOT / "examples" / f"{script}.py"), "--dataset", "absent.npz"]
    done = subprocess.run(command, cwd=tmp_path, env=outside, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    message = "error: --dataset: absent.npz does not exist or is no file; check the path\n"
    assert done.stderr == f"python {command[1]}: {message}"
    assert not list(tmp_path.iterdir())
