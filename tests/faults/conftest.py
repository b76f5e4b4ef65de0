"""What the fault tests share: how many faults to try, who counts them, and builds that can be struck."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
FINAL = ("train.hdf5", "val.hdf5", "test.hdf5", "mean.json")
SETTINGS = """
from config.dogs_vs_cats_config import *

IMAGES_PATH = "images"
NUM_VAL_IMAGES = 40
NUM_TEST_IMAGES = 30
STORED_SIZE = {size}
SEED = 7
OUTPUT_PATH = "output"
TRAIN_HDF5 = f"{{OUTPUT_PATH}}/train.hdf5"
VAL_HDF5 = f"{{OUTPUT_PATH}}/val.hdf5"
TEST_HDF5 = f"{{OUTPUT_PATH}}/test.hdf5"
DATASET_MEAN = f"{{OUTPUT_PATH}}/mean.json"
FEATURES_HDF5 = f"{{OUTPUT_PATH}}/features.hdf5"
CLASSIFIER_PATH = f"{{OUTPUT_PATH}}/classifier.skops"
"""


class Tally:
    """Counts the faults of one test: `strike` before each, `survive` once all is found well."""

    def __init__(self):
        self.tried = self.survived = 0

    def strike(self, count=1):
        self.tried += count

    def survive(self, count=1):
        self.survived += count


class Workshop:
    """A folder of images and scripts that are run on it as a user runs them, each in its own process."""

    def __init__(self, folder):
        self.folder = folder
        for name, size in (("small", 64), ("large", 96)):
            (folder / f"faults_{name}.py").write_text(SETTINGS.format(size=size), "utf-8")

    def start(self, script, *arguments, config="large", **options):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "TF_CPP"))}
        command = [sys.executable, "-m", f"dogs_vs_cats.{script}", "--config", f"faults_{config}"]
        return subprocess.Popen(
            [*command, *map(str, arguments)], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**environment, "PYTHONPATH": str(ROOT)}, **options,
        )  # fmt: skip

    def start_build(self, output, *arguments, **options):
        always = ("--buffer-size", 7, "--jobs", 1, "--output", output)
        return self.start("build_dogs_vs_cats", *always, *arguments, **options)

    def build(self, output, *arguments, **options):
        """Build to the end; return the exit code and what was printed on stderr."""
        return finish(self.start_build(output, *arguments, **options))

    def states(self, output):
        """Return the content of every final file that is there."""
        return {name: (output / name).read_bytes() for name in FINAL if (output / name).exists()}


def finish(process, timeout=60):
    try:
        _, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return process.returncode, err


@pytest.fixture(scope="session")
def faults():
    """How many faults of each kind are tried; the environment variable FAULTS says it."""
    return int(os.environ.get("FAULTS", "4"))


@pytest.fixture
def chance(request):
    """Seeded random numbers, of each test its own."""
    return random.Random(request.node.name)


@pytest.fixture
def tally(request):
    counts = Tally()
    yield counts
    print(f"{request.node.name}: {counts.tried} faults tried, {counts.survived} survived")


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory):
    """Return a folder of 220 small photographs of noise, some of them of the stored size already."""
    folder = tmp_path_factory.mktemp("sources") / "images"
    folder.mkdir()
    for number in range(220):
        rng = np.random.default_rng(number)
        size = (96, 96) if number % 5 == 0 else (150 + number % 40, 170)
        small = rng.integers(0, 256, (12, 12, 3), np.uint8)
        pixels = cv2.resize(small, size[::-1]).astype(np.int16) + rng.integers(-40, 40, (*size, 3), np.int16)
        name = f"{('cat', 'dog')[number % 2]}.{number}.jpg"
        (folder / name).write_bytes(cv2.imencode(".jpg", pixels.clip(0, 255).astype(np.uint8))[1])
    return folder


@pytest.fixture
def workshop(tmp_path, image_folder):
    """Return a workshop whose images can be spoiled without harm to other tests."""
    (tmp_path / "images").mkdir()
    for image in image_folder.iterdir():
        os.link(image, tmp_path / "images" / image.name)
    return Workshop(tmp_path)


@pytest.fixture
def run_to_end():
    return finish


@pytest.fixture(scope="session")
def unbroken_builds(tmp_path_factory, image_folder):
    """Return a function that gives the final files of an unbroken build, and how long it took in all and to begin."""
    folder = tmp_path_factory.mktemp("unbroken")
    (folder / "images").symlink_to(image_folder)
    shop, known = Workshop(folder), {}

    def get(encoding, config="large"):
        if (encoding, config) not in known:
            output = folder / f"{encoding}-{config}"
            began = time.monotonic()
            process = shop.start_build(output, "--encoding", encoding, config=config)
            wait_for_line(process, "building")
            begins = time.monotonic() - began
            code, err = finish(process)
            assert code == 0, err
            known[encoding, config] = shop.states(output), time.monotonic() - began, begins
        return known[encoding, config]

    return get


def wait_for_line(process, text):
    """Read what a script prints until a line has ``text`` in it, or it ends."""
    for line in process.stdout:
        if text in line:
            return


@pytest.fixture
def when_building():
    """Return a function that waits until a build reads its first images."""
    return lambda process: wait_for_line(process, "building")


@pytest.fixture
def strike_at():
    """Return a function that sends SIGKILL to a process after some seconds; it says whether that hit it alive."""

    def strike(process, seconds):
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        return process.returncode == -signal.SIGKILL

    return strike


@pytest.fixture
def run_program():
    """Return a function that runs one of the programs beside this file, and returns what it printed."""

    def run(name, *arguments, timeout=60):
        command = [sys.executable, str(HERE / name), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=timeout, env=environment, cwd=HERE
        )
        assert done.returncode == 0, done.stderr or f"{name} ended with {done.returncode}"
        return done.stdout

    return run


@pytest.fixture
def one_line():
    """Return a function that checks that a failed script said just one line, and returns it."""

    def check(err):
        lines = [line for line in err.splitlines() if not line.startswith(("Building", "Looking for"))]
        assert len(lines) == 1, err
        assert "error: " in lines[0]
        return lines[0]

    return check
