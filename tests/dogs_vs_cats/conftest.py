"""A tiny project that the tests of the scripts share, and the way they call a script as a user does."""

import contextlib
import importlib
import io
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from pyimagesearch.cli.program import run
from pyimagesearch.samples.animals import LABELS, paint

ROOT = Path(__file__).resolve().parents[2]
RECORD = "runs.jsonl"  # what every script appends to, also one that fails
SETTINGS = """
from config.dogs_vs_cats_config import *
from pyimagesearch.io import label_from_folder, label_from_name

IMAGES_PATH = "images"
NUM_VAL_IMAGES = 0.2
NUM_TEST_IMAGES = 8
STORED_SIZE = 72
INPUT_SIZE = 64
OUTPUT_PATH = "output"
BATCH_SIZE = 8
EPOCHS = 2
PRECISION = "float32"
"""

_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Keras save a model: its TensorFlow backend still converts arrays in NumPy 1's way."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"))


class Outcome(NamedTuple):
    """The outcome of a script: its exit code, what it printed, and what ``main`` returned."""

    code: Any
    out: str
    err: str
    result: Any


class Project(NamedTuple):
    """A finished project: its folder, the name of its config, and how each of its scripts went."""

    folder: Path
    config: str
    steps: dict[str, Outcome]


def call_script(script: str, *arguments: str | os.PathLike[str]) -> Outcome:
    module = importlib.import_module(f"dogs_vs_cats.{script}")
    results = []
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(lambda: results.append(module.main([os.fspath(a) for a in arguments])), script)
        except SystemExit as stop:
            code = stop.code
    return Outcome(code, out.getvalue(), err.getvalue(), results[0] if results else None)


def call_in_shell(script: str, *arguments: str, as_module: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, from the working directory."""
    start = ["-m", f"dogs_vs_cats.{script}"] if as_module else [str(ROOT / "dogs_vs_cats" / f"{script}.py")]
    unwanted = {"PYTHONPATH", "TF_CPP_MIN_LOG_LEVEL"}  # libraries set the latter when they are imported
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    if as_module:
        environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, *start, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def write_settings(folder: Path, more: str = "") -> str:
    """Write a module of settings that no other test has imported, and return its name."""
    name = f"tiny_config_{next(_numbers)}"
    (folder / f"{name}.py").write_text(f"{SETTINGS}\n{more}\n", "utf-8")
    return name


def copy_linked(source: Path, target: Path) -> Path:
    """Copy a tree by hard links: replacing a file in the copy leaves the original alone; records are appended to."""

    def link(file: str, copy: str) -> None:
        (shutil.copyfile if file.endswith(RECORD) else os.link)(file, copy)

    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)
    return target


def state_of(folder: Path) -> dict[str, Any]:
    """Return each file below ``folder`` but records, with what tells whether it was written: by its relative path."""

    def state(path: Path) -> tuple[Any, ...]:
        stat = path.stat()
        content = path.read_bytes() if stat.st_size < 1_000_000 else None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size, content

    unwanted = {"__pycache__", RECORD}
    files = (path for path in folder.rglob("*") if path.is_file() and not unwanted & set(path.parts))
    return {str(path.relative_to(folder)): state(path) for path in files}


@pytest.fixture(scope="session")
def call() -> Callable[..., Outcome]:
    return call_script


@pytest.fixture(scope="session")
def call_shell() -> Callable[..., subprocess.CompletedProcess[str]]:
    return call_in_shell


@pytest.fixture(scope="session")
def write_config() -> Callable[..., str]:
    return write_settings


@pytest.fixture(scope="session")
def files_in() -> Callable[[Path], dict[str, Any]]:
    return state_of


@pytest.fixture(scope="session")
def draw() -> Callable[..., None]:
    """Return a function that writes a drawing: of a cat or dog, or noise for any other label."""

    def write(path: Path, label: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        image = paint(label, rng) if label in LABELS else rng.integers(0, 256, (90, 110, 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", image)[1])

    return write


@pytest.fixture(scope="session")
def copy_project() -> Callable[[Path, Path], Path]:
    return copy_linked


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, draw: Callable[..., None]) -> Path:
    """Return a folder of 20 cats and 20 dogs, named as Kaggle names its photographs."""
    folder = tmp_path_factory.mktemp("sample") / "images"
    for label in LABELS:
        for number in range(20):
            draw(folder / f"{label}.{number}.jpg", label, number)
    return folder


def save_small_model(path: Path, size: int) -> None:
    """Save a model that takes images of ``size`` and is described as one that takes 64x64."""
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    layers = [keras.Input((size, size, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    described = Preparation(64, 64, "BGR", dict.fromkeys("RGB", 100.0), ["cat", "dog"])
    save_model(keras.Sequential(layers), path, described, Position())


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Iterator[Project]:
    """Run all five scripts in a row, and put a model of a few layers beside their files."""
    folder = tmp_path_factory.mktemp("project")
    copy_linked(images, folder / "images")
    config = write_settings(folder)
    settings = ["--config", config]
    with contextlib.chdir(folder):
        steps = {
            "build": call_script("build_dogs_vs_cats", *settings),
            "train": call_script("train_alexnet", *settings),
            "crops": call_script("crop_accuracy", *settings),
            "features": call_script("extract_features", "--model", "output/alexnet.keras", *settings),
            "classify": call_script("train_model", "--jobs", "1", *settings),
        }
    save_small_model(folder / "small.keras", 64)
    yield Project(folder, config, steps)
    shutil.rmtree(folder)


@pytest.fixture
def misdescribed_model(tmp_path: Path) -> Path:
    """Return a model whose input is not what its description says."""
    save_small_model(tmp_path / "other.keras", 32)
    return tmp_path / "other.keras"


@pytest.fixture
def workplace(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the finished project that a test may spoil; it is the working directory."""
    copy_linked(project.folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
