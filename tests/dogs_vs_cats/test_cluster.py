"""Scripts on several processes: the same bytes as in one, whatever happens to workers, scheduler and images."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests/cluster"
sys.path.insert(0, str(CLUSTER))
pytest.importorskip("distributed", reason="dask is not installed")

from farm import Farm  # noqa: E402

SPOILT = {"PYTHONPATH": os.pathsep.join([str(CLUSTER / "spoilt"), str(ROOT)])}
SLOW = {**SPOILT, "SECONDS_TO_DECODE": "0.05"}
BUILD = ("--shards", "3", "--jobs", "1", "--buffer-size", "2")
FILES = {
    "train.hdf5", *(f"train-0000{i}-of-00003.hdf5" for i in range(3)), "val.hdf5", "test.hdf5", "mean.json",
    "build.json",
}  # fmt: skip


def state(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name != "runs.jsonl"}


@pytest.fixture(scope="module")
def config(images, write_config, tmp_path_factory):
    """Return the name of a config of 40 images, two of them alike."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "images").mkdir()
    for image in images.iterdir():
        os.link(image, folder / "images" / image.name)
    os.link(images / "cat.0.jpg", folder / "images/cat.99.jpg")
    before = os.getcwd()
    os.chdir(folder)
    yield write_config(folder)
    os.chdir(before)


@pytest.fixture(scope="module")
def alone(config, call):
    """Return what one process makes, in shards."""
    outcome = call("build_dogs_vs_cats", "--config", config, "-o", "alone", *BUILD)
    assert outcome.code == 0, outcome.err
    return state("alone")


@pytest.fixture
def output(tmp_path):
    return tmp_path / "output"


@pytest.fixture
def build(config, call, output):
    def run(*options):
        return call("build_dogs_vs_cats", "--config", config, "-o", output, *BUILD, *options)

    return run


@pytest.fixture
def farm(tmp_path):
    farm = Farm(tmp_path)
    yield farm
    farm.stop()


@pytest.fixture
def poisoned(tmp_path, config, monkeypatch):
    """Return a folder of images, of which one ends every worker that decodes it."""
    folder = tmp_path / "poisoned"
    folder.mkdir()
    for image in Path("images").iterdir():
        (folder / image.name).write_bytes(image.read_bytes())
    with open(folder / "dog.7.jpg", "ab") as file:
        file.write(b"POISON")
    monkeypatch.setenv("PYTHONPATH", SPOILT["PYTHONPATH"])
    return folder


@contextlib.contextmanager
def meanwhile(action, *arguments):
    """Do something in another thread while the block runs."""
    thread = threading.Thread(target=action, args=arguments)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def wait_until(is_true, seconds=30):
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begun(output):
    """Return whether the first shard is done, and another has begun."""
    return len(list(output.glob("*.partial"))) > 2


def test_shards_hold_what_one_file_holds(alone, build, output):
    assert set(alone) == FILES
    assert build("--shards", "1").code == 0
    single = state(output)
    assert {name: alone[name] for name in set(single) - {"train.hdf5"}} == {
        name: content for name, content in single.items() if name != "train.hdf5"
    }
    with h5py.File(output / "train.hdf5") as one, h5py.File("alone/train.hdf5") as united:
        assert set(one) <= set(united)
        for name in one:
            assert (one[name][:] == united[name][:]).all(), name


@pytest.mark.parametrize("options", [(), ("--encoding", "jpeg", "--group-duplicates")])
def test_a_cluster_builds_the_same_bytes(alone, config, call, build, output, options):
    if options:
        outcome = call("build_dogs_vs_cats", "--config", config, "-o", output.parent / "expected", *BUILD, *options)
        assert outcome.code == 0, outcome.err
    outcome = build("--cluster", "local:2", *options)
    assert outcome.code == 0, outcome.err
    assert state(output) == (state(output.parent / "expected") if options else alone)
    assert outcome.result["shards"] == {"train": 3, "val": 1, "test": 1}
    assert {Path(file).name for file in outcome.result["files"]} == FILES
    assert (outcome.result["cluster"], outcome.result["workers"]) == ("local:2", 2)
    assert outcome.err.count("\n") == 1 + bool(options)


def test_an_image_that_ends_its_workers_is_named(poisoned, build, output):
    outcome = build("--cluster", "local:2", "-d", poisoned)
    assert outcome.code == 2
    line = outcome.err.splitlines()[-1]
    assert "1 of 41 images in" in line
    assert "dog.7.jpg (decoding it crashes the process (SIGSEGV)); repair or remove" in line
    assert not set(state(output)) - {"runs.jsonl"}


def test_an_image_that_ends_its_workers_is_left_out(poisoned, build, output):
    outcome = build("--cluster", "local:2", "-d", poisoned, "--on-error", "skip")
    assert outcome.code == 0, outcome.err
    assert outcome.result["skipped"] == {"dog.7.jpg": "decoding it crashes the process (SIGSEGV)"}
    (poisoned / "dog.7.jpg").unlink()
    expected = output.parent / "expected"
    assert build("-d", poisoned, "-o", expected).code == 0
    different = {name for name, content in state(expected).items() if content != state(output)[name]}
    assert different == {"build.json"}


def test_broken_images_are_named_as_by_one_process(poisoned, build, output):
    (poisoned / "dog.7.jpg").write_bytes(b"")
    (poisoned / "cat.3.jpg").write_bytes(b"text")
    outcomes = [build("-d", poisoned, *options) for options in ((), ("--cluster", "local:2"))]
    assert [outcome.code for outcome in outcomes] == [2, 2]
    here, there = (outcome.err.splitlines()[-1] for outcome in outcomes)
    assert "2 of 41 images" in here
    assert there == here
    assert not state(output)


def worker_processes():
    """Return the processes that decode: children of this one that Dask started."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = [int(number) for file in children for number in file.read_text().split()]
    return [number for number in found if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()]


def test_killed_workers_leave_nothing_behind(alone, build, output, monkeypatch):
    for name, value in SLOW.items():
        monkeypatch.setenv(name, value)

    def kill():
        wait_until(lambda: begun(output))
        for _ in range(2):
            for process in worker_processes()[:1]:  # none is left if the build is quick
                os.kill(process, signal.SIGKILL)
            time.sleep(1)

    with meanwhile(kill):
        outcome = build("--cluster", "local:2")
    assert outcome.code == 0, outcome.err
    assert state(output) == alone


def test_a_lost_scheduler_is_said_and_the_build_goes_on(alone, build, output, farm):
    def kill():
        wait_until(lambda: begun(output))
        farm.kill_scheduler()

    address = farm.start(workers=2, **SLOW)
    with meanwhile(kill):
        outcome = build("--cluster", address)
    assert outcome.code == 2
    [line] = [line for line in outcome.err.splitlines() if "error" in line]
    assert f"the scheduler at {address} is gone" in line
    assert "--resume" in line
    assert list(output.glob("*.partial"))
    farm.stop()
    outcome = build("--cluster", farm.start(), "--resume")
    assert outcome.code == 0, outcome.err
    assert state(output) == alone


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_build_stops_its_tasks_and_leaves_the_cluster_to_others(alone, build, config, output, farm, how):
    address = farm.start(workers=1, **SLOW)
    command = [sys.executable, "-m", "dogs_vs_cats.build_dogs_vs_cats", "--config", config, "-o", str(output), *BUILD]
    process = subprocess.Popen(
        [*command, "--cluster", address], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_until(lambda: begun(output))
    struck = time.monotonic()
    process.send_signal(how)
    _, err = process.communicate(timeout=10)
    assert time.monotonic() - struck < 2 * max(1, os.getloadavg()[0])
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "resume with: " in err
    outcome = build("--cluster", address, "--resume")
    assert outcome.code == 0, outcome.err
    assert state(output) == alone


@pytest.fixture
def features(tmp_path):
    """Return a file of the features of two classes that overlap."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    with h5py.File(tmp_path / "features.hdf5", "w") as file:
        file["features"] = (rng.normal(size=(200, 12)) + labels[:, None] * 0.5).astype(np.float32)
        file["labels"] = labels
    return tmp_path / "features.hdf5"


def test_a_cluster_trains_the_same_classifier(config, call, features, output):
    for place, options in (("here", ()), ("there", ("--cluster", "local:2"))):
        model = output / place / "classifier.pickle"
        outcome = call("train_model", "--config", config, "-d", features, "-m", model, *options)
        assert outcome.code == 0, outcome.err
    here, there = state(output / "here"), state(output / "there")
    for name in ("classifier.pickle", "classifier_predictions.hdf5"):
        assert there[name] == here[name]
    reports = [json.loads(each["classifier.json"]) for each in (here, there)]
    assert reports[0] | {"seconds": 0} == reports[1] | {"seconds": 0}
    assert (outcome.result["cluster"], outcome.result["workers"]) == ("local:2", 2)


def test_a_cluster_extracts_the_same_features(config, call, alone, farm, tmp_path):
    address = farm.start()
    for dataset in ("images", "alone/test.hdf5"):
        options = ("--config", config, "-d", dataset, "-m", "mobilenet", "--weights", "none", "--alpha", "0.25")
        for place, cluster in (("here", ()), ("there", ("--cluster", address))):
            outcome = call(
                "extract_features", *options, "-b", "4", "--shards", "2", "-o", tmp_path / place / "features.hdf5",
                "--force", *cluster,
            )  # fmt: skip
            assert outcome.code == 0, outcome.err
        assert state(tmp_path / "there") == state(tmp_path / "here")
    names = {"features.hdf5", "features-00000-of-00002.hdf5", "features-00001-of-00002.hdf5"}
    assert {Path(file).name for file in outcome.result["files"]} == names == set(state(tmp_path / "there"))
