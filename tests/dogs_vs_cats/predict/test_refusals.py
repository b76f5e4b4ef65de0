"""Images that cannot be predicted are refused, or left out and named."""

import json
import os
import pickle
import re
import shutil

import numpy as np
import pytest

from pyimagesearch.ml import Classifier
from tests.dogs_vs_cats.predict.networks import save_network


@pytest.fixture
def broken(place):
    data = (place / "images/0.jpg").read_bytes()
    (place / "images/3.jpg").write_bytes(data[: len(data) // 2])
    (place / "images/7.jpg").write_bytes(b"")


def test_an_unreadable_image_is_an_error(broken, place, call):
    outcome = call("predict", "images", "-m", "model.keras", "-f", "json", "-o", "a.json")
    assert outcome.code == 2
    assert re.search(r"error: image: images/3\.jpg cannot be read: .*truncated.*--on-error skip", outcome.err)
    assert outcome.out.count("[INFO] wrote") == 0
    assert not list(place.glob("a*.json"))


@pytest.mark.parametrize("batch_size", ["1", "5", "99"])
def test_unreadable_images_are_skipped_and_named(broken, call, batch_size):
    options = ["-m", "model.keras", "-f", "json", "--on-error", "skip", "-b", batch_size, "--sheet", "s.png"]
    outcome = call("predict", "images", *options)
    rows = {row["image"]: row for row in json.loads(outcome.out)}
    assert len(rows) == 12
    assert "truncated" in rows["images/3.jpg"]["error"]
    assert outcome.result["skipped"].keys() == {"images/3.jpg", "images/7.jpg"}
    assert outcome.result["images"] == 10
    assert "left out images/7.jpg: the file is empty" in outcome.err


class Poison:
    def __reduce__(self):
        return os.mkdir, ("poisoned",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jpg"], r"image: nowhere\.jpg does not exist; check the path"),
        (["*.gif"], r"image: \*\.gif matches no images \(\.jpg, .* and no folders; check the pattern"),
        (["empty"], r"dataset: empty holds no images"),
        (["images", "-m", "resnet51"], r"--model: must be a \.keras, \.skops or \.pickle file, or one of .*'resnet51'"),
        (["images", "-m", "none.keras"], r"model: none\.keras does not exist"),
        (["images", "--alpha", "0.5"], r"--alpha: the model's file has its own; received 0\.5 with model\.keras"),
        (["images", "--alpha", "-1"], r"--alpha: must be a number above 0; received -1"),
        (["images", "--weights", "w.h5"], r"--weights: the model's file has its own; received w\.h5"),
        (["images", "-m", "poison.pickle"], r"is a Python pickle, and loading a pickle can run any code.*--trust-"),
        (["images", "-m", "bare.skops"], r"bare\.skops must say how its features are extracted from an image, and"),
        (["images", "-m", "short.skops"], r"classifier: takes 3 features, but its recipe gives 48 \(.*model\.keras"),
        (["images", "-m", "linear.keras"], r"model: must give probabilities, which sum to 1; for images/0\.jpg it"),
        (["images", "-m", "four.keras"], r"model: must take images of 1 or 3 channels; it takes \(None, 32, 32, 4\)"),
        (["images", "-m", "numbers.keras"], r"--model: the classes of numbers\.keras must have names; received \[1, 2"),
        (["images", "--sheet", "a.jpg"], r"--sheet: must end in \.png; received a\.jpg"),
        (["images", "-o", "old.txt"], r"--output: old\.txt exists"),
        (["two", "-f", "kaggle"], r"image: two/a2b3\.jpg must have one number in its name, .*it has 2 and 3; rename"),
        (["images", "same", "-f", "kaggle"], r"image: each image must .*1\.jpg and same/x1\.jpg have the id 1; leave"),
    ],
)
def test_mistakes_cost_no_file(place, call, files_in, arguments, message):
    (place / "empty").mkdir()
    (place / "old.txt").write_text("old")
    for name in ("two/a2b3.jpg", "same/x1.jpg"):
        (place / name).parent.mkdir()
        shutil.copy("images/0.jpg", name)
    wanted = arguments[arguments.index("-m") + 1] if "-m" in arguments else ""
    if wanted == "linear.keras":
        save_network(wanted, activation=None)
    if wanted == "four.keras":
        save_network(wanted, channels=4)
    if wanted == "numbers.keras":
        save_network(wanted, label_names=(1, 2))
    if wanted == "poison.pickle":
        (place / wanted).write_bytes(pickle.dumps(Poison()))
    if wanted in ("bare.skops", "short.skops"):
        from sklearn.linear_model import LogisticRegression

        estimator = LogisticRegression().fit(np.eye(3), ["a", "b", "b"])
        recipe = Classifier.load("classifier.skops").recipe if wanted == "short.skops" else ""
        Classifier(estimator, recipe).save(wanted)
    before = files_in(place)
    outcome = call("predict", *(["-m", "model.keras"] if not wanted else []), *arguments)
    assert outcome.code == 2, outcome.err
    assert re.search(rf"error: .*{message}", outcome.err.splitlines()[-1])
    assert outcome.out == ""
    assert files_in(place) == before
