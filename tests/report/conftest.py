"""A record written by hand, of a small project with names that would like to be HTML."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import Provenance
from pyimagesearch.ml.metrics import evaluate_predictions
from pyimagesearch.runs.record import read_runs
from tests.report.browser import Browser, NoBrowserError

CLASSES = ["cat", "<script>alert(1)</script>"]
ODD_PATH = 'odd "quoted" <b>.jpg'
STORED, SIZE, TEST = 40, 32, 24


def images_of(labels, seed):
    """Return images whose colour tells their class: blue ones and red ones, with a bright corner at a random place."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (len(labels), STORED, STORED, 3), np.uint8)
    images[np.arange(len(labels)), :, :, np.where(labels == 0, 0, 2)] += 150
    return images


def write_images(folder, name, count, build="b1", seed=0):
    labels = np.arange(count) % 2
    paths = [f"{name}/{row}.jpg" for row in range(count)]
    if name == "test":
        paths[0] = ODD_PATH
    path = folder / f"{name}.hdf5"
    with HDF5DatasetWriter((count, STORED, STORED, 3), path, provenance=Provenance(build=build)) as writer:
        writer.add(images_of(labels, seed), labels, paths)
        writer.store_class_labels(CLASSES)
    return path


def evaluation(seed, paths, wrong):
    """Return what a classifier that errs on ``wrong`` of the test images leaves in the record."""
    rng = np.random.default_rng(seed)
    truth = np.arange(TEST) % 2
    sure = rng.uniform(0.6, 0.99, TEST)
    right = np.arange(TEST) >= wrong
    of_truth = np.where(right, sure, 1 - sure)
    probabilities = np.where(np.eye(2, dtype=bool)[truth], of_truth[:, None], 1 - of_truth[:, None])
    return evaluate_predictions(truth, probabilities, CLASSES, paths)


class Record:
    """Writes events as the scripts do."""

    def __init__(self, path):
        self.path, self.settings, self._number = path, {}, 0

    def add(self, script, results=None, *, status="done", error=None, inputs=(), outputs=(), seconds=1.5, **start):
        self._number += 1
        common = {"schema": 1, "run": f"{self._number:016x}"}
        begin = common | {
            "event": "start", "time": f"2026-11-22T06:{self._number:02d}:00+00:00", "script": f"dogs_vs_cats.{script}",
            "command": ["python", "-m", f"dogs_vs_cats.{script}", "--note", "it's <b>"], "folder": "/home/ada/pets",
            "config": {"module": "config.tiny", "settings": self.settings}, "seed": 7,
            "versions": {"python": "3.12.1", "keras": "3.15.0"},
            "hardware": {"system": "Linux", "processor": "a <fast> one", "processors": 2, "memory_bytes": 24 * 10**9},
        } | start  # fmt: skip
        events = [begin]
        if status != "killed":
            events.append(common | {
                "event": "end", "time": f"2026-11-22T06:{self._number:02d}:30+00:00", "seconds": seconds,
                "status": status, "error": error, "backend": "tensorflow", "devices": ["CPU: a <fast> one"],
                "inputs": list(inputs), "outputs": list(outputs), "results": results or {},
            })  # fmt: skip
        with open(self.path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)


def file_entry(path, identity="one"):
    return {"path": str(path), "bytes": 1000, "identity": identity}


def write_project(folder):
    """Write data files and a record of all steps, of which two were run twice, one failed and one was killed."""
    record = Record(folder / "runs.jsonl")
    files = {name: write_images(folder, name, count) for name, count in (("train", 40), ("val", 12), ("test", TEST))}
    header = read_header(files["test"])
    with h5py.File(header.path) as file:
        paths = file["paths"].asstr()[:].tolist()
    record.settings = {
        "OUTPUT_PATH": str(folder), "IMAGES_PATH": str(folder / "images"), "INPUT_SIZE": SIZE, "STORED_SIZE": STORED,
        "SEED": 7, "AUGMENTATION": {"horizontal_flip": True, "rotation_range": 15, "zoom_range": 0.1},
        "TRAIN_HDF5": str(files["train"]), "VAL_HDF5": str(files["val"]), "TEST_HDF5": str(files["test"]),
    }  # fmt: skip
    counts = {name: dict.fromkeys(CLASSES, n // 2) for name, n in (("train", 40), ("val", 12), ("test", TEST))}
    record.add("build_dogs_vs_cats", {
        "images": 76, "classes": dict.fromkeys(CLASSES, 38), "splits": counts,
        "skipped": {"bad <i>.jpg": "it is empty"}, "left_out": {"remarks": ["left out files that are <i>: 3 .svg"]},
        "duplicates": {"pictures": 1, "groups": [["train/0.jpg", ODD_PATH]],
                       "across_splits": [{"train": ["train/0.jpg"], "test": [ODD_PATH]}], "conflicts": []},
        "means": {"R": 100.0, "G": 30.0, "B": 90.0}, "stored_size": STORED, "encoding": "raw",
        "bytes": {str(path): path.stat().st_size for path in files.values()}, "dataset": str(folder / "images"),
        "build": "b1",
    }, outputs=[file_entry(path) for path in files.values()])  # fmt: skip
    model = folder / "alexnet.keras"
    history = {
        "loss": [2.9, 1.7, 1.2], "accuracy": [0.6, 0.85, 0.975], "val_loss": [2.0, 1.5, 1.6],
        "val_accuracy": [0.75, 0.9375, 0.9], "learning_rate": [1e-3, 6.6e-4, 3.3e-4], "seconds": [3.0, 2.0, 2.0],
        "images_per_second": [13.0, 20.0, 20.5], "waiting": [0.21, 0.013, 0.0],
    }  # fmt: skip
    record.add("train_alexnet", {
        "val_accuracy": 0.9375, "best_epoch": 2, "epochs": 3, "training_images": 40, "validation_images": 12,
        "batch_size": 8, "parameters": 1234567, "history": history, "build": "b1",
    }, outputs=[file_entry(model)], seconds=152.4)  # fmt: skip
    record.add("crop_accuracy", status="failed", error='model: <b> "broken"')
    for wrong, wrong_crops in ((8, 6), (5, 3)):
        whole, crops = evaluation(1, paths, wrong), evaluation(2, paths, wrong_crops)
        record.add("crop_accuracy", {
            "rank1": whole["accuracy"], "rank1_crops": crops["accuracy"], "images": TEST, "model": str(model),
            "evaluation": whole, "evaluation_crops": crops, "predictions": str(folder / "predictions.hdf5"),
        }, inputs=[file_entry(files["test"]), file_entry(model)])  # fmt: skip
    record.add("extract_features", {"images": TEST, "features": 512, "networks": "ResNet50"})
    found = evaluation(3, paths, 1)
    record.add("train_model", {
        "accuracy": found["accuracy"], "log_loss": found["log_loss"], "images": TEST, "best_c": 0.1,
        "training_images": 72, "features": 512, "classifier": "logistic", "evaluation": found,
    })  # fmt: skip
    record.add("predict", status="killed")
    return record


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """Return the folder of a project with a full record; to be left as it is."""
    folder = tmp_path_factory.mktemp("pets")
    write_project(folder)
    return folder


@pytest.fixture
def record(tmp_path) -> Record:
    """Return an empty record."""
    return Record(tmp_path / "runs.jsonl")


@pytest.fixture(scope="session")
def runs(project):
    return read_runs(project / "runs.jsonl")


@pytest.fixture(scope="session")
def page(project) -> Path:
    from pyimagesearch.report.page import write_page

    return write_page(project / "runs.jsonl", project / "report.html")


@pytest.fixture(scope="module")
def browser():
    """Return a browser, which keeps what a test has set until it opens the next page."""
    try:
        opened = Browser()
    except NoBrowserError as error:
        pytest.skip(str(error))
    yield opened
    opened.close()


@pytest.fixture
def opened(browser, page):
    assert browser.open(page) == []
    return browser
