"""A folder with models and images, in which the script predicts."""

import contextlib
import json
import shutil

import pytest

from tests.dogs_vs_cats.predict.networks import save_network


@pytest.fixture(scope="module")
def finished(tmp_path_factory, images, call):
    """Make a network, and a classifier of its features as skops and as pickle."""
    folder = tmp_path_factory.mktemp("predict")
    with contextlib.chdir(folder):
        save_network("model.keras")
        features = call("extract_features", "-d", str(images), "-m", "model.keras", "-o", "features.hdf5")
        assert features.code == 0, features.err
        for name in ("classifier.skops", "classifier.pickle"):
            trained = call("train_model", "-d", "features.hdf5", "-m", name, "-j", "1", "--clip", "0.01", "--force")
            assert trained.code == 0, trained.err
    return folder


@pytest.fixture
def place(finished, images, tmp_path, monkeypatch):
    """Return a folder with the models and twelve images; it is the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    (tmp_path / "images").mkdir()
    for number in range(12):
        shutil.copy(images / f"{'cat' if number % 2 else 'dog'}.{number}.jpg", f"images/{number}.jpg")
    return tmp_path


@pytest.fixture
def predicted(call):
    """Return a function that runs the script and gives the rows of its JSON, by image."""

    def run(*arguments):
        outcome = call("predict", *arguments, "-f", "json", "-k", "1000")
        assert outcome.code == 0, outcome.err
        rows = json.loads(outcome.out)
        return {row["image"]: {each["class"]: each["probability"] for each in row["predictions"]} for row in rows}

    return run
