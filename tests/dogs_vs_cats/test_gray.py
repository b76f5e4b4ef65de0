"""Gray images all the way: every script with CHANNELS = 1."""

import contextlib

import h5py
import pytest


@pytest.fixture(scope="module")
def gray(tmp_path_factory, draw, call, write_config):
    """Run the scripts on colour drawings that are stored gray, and return what they say."""
    folder = tmp_path_factory.mktemp("gray")
    for kind in ("cat", "dog"):
        for number in range(20):
            draw(folder / f"images/{kind}.{number}.jpg", kind, number)
    config = write_config(folder, "CHANNELS = 1\nEPOCHS = 1")
    network = ("-m", "mobilenet", "--weights", "none")
    with contextlib.chdir(folder):
        steps = {
            "build": ["build_dogs_vs_cats"],
            "train": ["train_alexnet"],
            "crops": ["crop_accuracy"],
            "own features": ["extract_features", "-m", "output/alexnet.keras", "-o", "output/own.hdf5"],
            "stored": ["extract_features", "-d", "output/train.hdf5", *network, "-o", "output/stored.hdf5"],
            "features": ["extract_features", *network],
            "classify": ["train_model"],
            "predict": ["predict", "images", "-m", "output/alexnet.keras", "-o", "alexnet.csv"],
            "by features": ["predict", "images", "-m", "output/classifier.skops", "-o", "features.csv"],
            "report": ["report"],
        }
        yield folder, {name: call(*step, "--config", config) for name, step in steps.items()}


STEPS = [
    "build", "train", "crops", "own features", "stored", "features", "classify", "predict", "by features", "report",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_every_step_takes_gray_images(gray, step):
    outcome = gray[1][step]
    assert outcome.code == 0, outcome.err


def test_one_channel_is_stored_and_three_equal_ones_are_said(gray):
    folder, steps = gray
    with h5py.File(folder / "output/train.hdf5") as file:
        assert file["images"].shape[1:] == (72, 72, 1)
    for step, source in (("stored", "output/train.hdf5"), ("features", "images")):
        assert f"[INFO] {source}: gray images, as three equal channels" in steps[step].out


@pytest.mark.parametrize("channels", [2, 4])
def test_other_channels_are_refused_at_the_build(call, write_config, tmp_path, monkeypatch, channels):
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, f"CHANNELS = {channels}")
    outcome = call("build_dogs_vs_cats", "--config", config)
    assert outcome.code == 2
    assert f"error: CHANNELS: must be 3 for colour or 1 for gray; received {channels}" in outcome.err
