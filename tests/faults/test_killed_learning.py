"""Learning that is killed at any moment: no file is ever half there, and the next run ends as an unbroken one."""

import io
import json
import os
import time
import zipfile

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header

EPOCHS = 2
MODELS = ("alexnet.keras", "alexnet_last.keras")


@pytest.fixture
def timed(run_to_end):
    """Return a function that runs a script to its end, and returns its seconds."""

    def run(process):
        began = time.monotonic()
        code, err = run_to_end(process)
        assert code == 0, err
        return time.monotonic() - began

    return run


def numbers(model):
    """Return all numbers of a ``.keras`` file, the optimizer's among them, by their names."""
    found = {}
    with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def position(model):
    with zipfile.ZipFile(model) as archive:
        return json.loads(archive.read("pyimagesearch.json"))["position"]


def check_whole(output):
    """Check that all files with final names are whole."""
    for name in (*MODELS, "classifier.skops"):
        if (output / name).exists():
            assert zipfile.ZipFile(output / name).testzip() is None
            assert not name.endswith(".keras") or numbers(output / name)
    for path in output.glob("*.hdf5"):
        if path.name.endswith("predictions.hdf5"):
            with h5py.File(path) as file:
                assert len(file["labels"]) == len(file["probabilities"])
        else:
            read_header(path)
    for path in output.glob("*.png"):
        assert ".partial" in path.name or cv2.imread(str(path)) is not None
    for path in output.glob("*.json"):
        assert ".partial" in path.name or json.loads(path.read_text("utf-8"))


def check_trained_as(output, expected):
    """Check that weights and optimizer are those of another run, to the bit, and the curves to their rounding."""
    for name in MODELS:
        found, wanted = numbers(output / name), numbers(expected / name)
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            np.testing.assert_array_equal(found[key], value, err_msg=f"{name}: {key}")
        assert position(output / name) == position(expected / name)
    found, wanted = (json.loads((folder / "alexnet.json").read_text("utf-8")) for folder in (output, expected))
    assert found.keys() == wanted.keys()
    for key, values in wanted.items():  # the means of an epoch in two parts are sums in another order
        np.testing.assert_allclose(found[key], values, rtol=1e-5, err_msg=key)


def test_a_killed_training_goes_on_to_the_same_weights(
    workshop, unbroken_builds, timed, strike_at, faults, chance, tally
):
    for name, content in unbroken_builds("raw")[0].items():
        (workshop.folder / "output").mkdir(exist_ok=True)
        (workshop.folder / "output" / name).write_bytes(content)
    output, unbroken, again = (workshop.folder / name for name in ("output", "unbroken", "again"))
    command, waiting = ("train_alexnet", "--jobs", 1), 0
    begin_anew = (*MODELS, "alexnet.json", "alexnet.png", "alexnet_speed.json")

    def put_away(folder):
        folder.mkdir(exist_ok=True)
        for name in begin_anew:
            (output / name).rename(folder / name)

    duration = timed(workshop.fork(*command))
    put_away(unbroken)
    timed(workshop.fork(*command))
    put_away(again)
    check_trained_as(again, unbroken)

    def go_on():
        begun = (output / "alexnet_last.keras").exists()
        return workshop.fork(*command, *(["--resume"] if begun else []))

    def at_its_end():
        last = output / "alexnet_last.keras"
        return last.exists() and position(last)["epoch"] == EPOCHS

    def check_and_begin_anew():
        nonlocal waiting
        check_trained_as(output, unbroken)
        put_away(again)
        tally.survive(waiting)
        waiting = 0

    while tally.tried < faults:
        child = go_on()
        killed = strike_at(child, chance.uniform(0, duration))
        tally.strike(killed)
        waiting += killed
        check_whole(output)
        assert killed or child.returncode == 0, child.communicate()
        if at_its_end():
            check_and_begin_anew()
    if waiting:
        timed(go_on())
        check_and_begin_anew()


def write_features(path):
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    with HDF5DatasetWriter((80, 10), path, "features") as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(rng.normal(size=(80, 10)).astype(np.float32) + labels[:, None] / 2, labels)


def outcome(folder):
    """Return what a classifier's files hold, as far as two savings of the same one agree."""
    import skops.io

    loaded = skops.io.load(folder / "classifier.skops")[-1]
    return (
        loaded.coef_.tobytes(),
        loaded.intercept_.tobytes(),
        (folder / "classifier_confusion_matrix.png").read_bytes(),
    )


def test_a_killed_classifier_leaves_old_or_whole_files(workshop, timed, strike_at, faults, chance, tally):
    output = workshop.folder / "output"
    files = output / "classifier.skops", output / "classifier_confusion_matrix.png"
    write_features(output / "features.hdf5")
    command = ("train_model", "--jobs", 1, "--force")
    duration = timed(workshop.fork(*command))
    expected = outcome(output)
    while tally.tried < faults:
        from_scratch = tally.tried % 2 == 0
        for path in files if from_scratch else ():
            path.unlink(missing_ok=True)
        before = {path: path.read_bytes() for path in files if path.exists()}
        killed = strike_at(workshop.fork(*command), chance.uniform(0, duration))
        tally.strike(killed)
        assert all(path.exists() for path in before)
        check_whole(output)
        if all(path.exists() for path in files):
            assert outcome(output) == expected
        tally.survive(killed)
    timed(workshop.fork(*command))
    assert outcome(output) == expected
    assert not list(output.glob("*.partial*"))


def save_tiny_model(path):
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    layers = [keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    described = Preparation(16, 16, "BGR", dict.fromkeys("RGB", 100.0), ["cat", "dog"])
    save_model(keras.Sequential(layers), path, described, Position())


def test_a_killed_extraction_is_resumed_to_the_same_bytes(workshop, timed, strike_at, faults, chance, tally):
    save_tiny_model(workshop.folder / "tiny.keras")
    output = workshop.folder / "output"
    features = output / "features.hdf5"
    command = ("extract_features", "--model", "tiny.keras", "--batch-size", 2, "--buffer-size", 3, "--jobs", 1)
    duration = timed(workshop.fork(*command))
    expected, waiting = features.read_bytes(), 0
    features.unlink()
    while tally.tried < faults:
        child = workshop.fork(*command, "--resume")
        killed = strike_at(child, chance.uniform(0, duration))
        tally.strike(killed)
        waiting += killed
        assert killed or child.returncode == 0, child.communicate()
        if features.exists():
            assert features.read_bytes() == expected
            features.unlink()
            tally.survive(waiting)
            waiting = 0
    timed(workshop.fork(*command, "--resume"))
    assert features.read_bytes() == expected
    assert sorted(os.listdir(output)) == ["features.hdf5", "runs.jsonl"]
    tally.survive(waiting)
