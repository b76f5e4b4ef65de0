"""Fixtures of the fault tests: the number of faults to try, their tally, and scripts to strike."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
from workshop import Workshop, Zygote, finish  # noqa: E402


class Tally:
    """Counts the faults of one test: `strike` before each, `survive` once all is found well."""

    def __init__(self):
        self.tried = self.survived = 0

    def strike(self, count=1):
        self.tried += count

    def survive(self, count=1):
        self.survived += count


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


@pytest.fixture(scope="session")
def zygote(tmp_path_factory):
    mother = Zygote(tmp_path_factory.mktemp("zygote") / "said")
    yield mother
    mother.close()


@pytest.fixture(scope="session")
def make_workshop(image_folder, zygote):
    """Return a function that makes a workshop in a folder; its images can be spoiled without harm to others."""

    def make(folder):
        (folder / "images").mkdir()
        for image in image_folder.iterdir():
            os.link(image, folder / "images" / image.name)
        return Workshop(folder, zygote)

    return make


@pytest.fixture
def workshop(tmp_path, make_workshop):
    return make_workshop(tmp_path)


@pytest.fixture
def run_to_end():
    return finish


@pytest.fixture(scope="session")
def unbroken_builds(tmp_path_factory, image_folder, zygote):
    """Return a function that gives the final files of an unbroken build, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("unbroken")
    (folder / "images").symlink_to(image_folder)
    shop, known = Workshop(folder, zygote), {}

    def get(encoding, config="large"):
        if (encoding, config) not in known:
            output = folder / f"{encoding}-{config}"
            began = time.monotonic()
            code, err = shop.build(output, "--encoding", encoding, config=config)
            assert code == 0, err
            known[encoding, config] = shop.states(output), time.monotonic() - began
        return known[encoding, config]

    return get


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
def freeze():
    """Return a function that stops a process in the midst of what it does; it says whether there was time to."""

    def stopped(process):
        try:
            tasks = [task.read_text() for task in Path(f"/proc/{process.pid}/task").glob("*/stat")]
        except OSError:  # a thread has just ended
            return False
        return all(task.rpartition(")")[2].split()[0] == "T" for task in tasks)

    def stop(process):
        process.send_signal(signal.SIGSTOP)
        while process.poll() is None:
            if stopped(process):
                return True
            time.sleep(0.001)
        return False

    return stop


@pytest.fixture
def run_program():
    """Return a function that runs one of the programs beside this file, and returns what it printed."""

    def run(name, *arguments, timeout=60, quiet=False):
        command = [sys.executable, str(HERE / name), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=timeout, env=environment, cwd=HERE
        )
        assert done.returncode == 0, done.stderr or f"{name} ended with {done.returncode}"
        assert not quiet or not done.stderr
        return done.stdout

    return run


@pytest.fixture
def one_line():
    """Return a function that checks that a failed script said just one line, and returns it."""

    def check(err):
        lines = [line for line in err.splitlines() if not re.match(r"[A-Z][^:]+: \d+% \(", line)]
        assert len(lines) == 1, err
        assert "error: " in lines[0]
        return lines[0]

    return check
