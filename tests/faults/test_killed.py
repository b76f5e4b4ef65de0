"""Scripts that are killed at any moment: no file is ever half there, and the next run ends as an unbroken one."""

import os
import shutil
import threading
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.fileformat import read_header


def moments(chance, duration, begins):
    """Yield moments of a build: half of them anywhere in it, half of them while it writes."""
    while True:
        yield chance.uniform(0, duration)
        yield chance.uniform(begins, duration)


def check_finished_names(output):
    for path in output.glob("*.hdf5"):
        read_header(path)


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_killed_build_is_resumed_to_the_same_bytes(
    workshop, unbroken_builds, strike_at, faults, chance, tally, encoding
):
    expected, duration, begins = unbroken_builds(encoding)
    when = moments(chance, duration, begins)
    output, waiting = workshop.folder / "output", 0
    arguments = ("--encoding", encoding, "--resume")
    while tally.tried < faults:
        killed = strike_at(workshop.start_build(output, *arguments), next(when))
        tally.strike(killed)
        waiting += killed
        check_finished_names(output)
        if not killed:
            assert workshop.states(output) == expected
            tally.survive(waiting)
            shutil.rmtree(output)
            waiting = 0
    code, err = workshop.build(output, *arguments)
    assert code == 0, err
    assert workshop.states(output) == expected
    assert not list(output.glob("*.partial*"))
    tally.survive(waiting)


class Watch(threading.Thread):
    """Opens finished files over and over, as users who need them all the time."""

    def __init__(self, paths):
        super().__init__()
        self.paths, self.looks, self.problems = paths, 0, []
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            for path in self.paths:
                self.looks += 1
                try:
                    read_header(path)
                except Exception as error:  # noqa: BLE001, RUF100 - whatever a user would see
                    self.problems.append(f"{type(error).__name__}: {error}")


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_killed_rebuild_leaves_old_or_new_files_at_every_moment(
    workshop, unbroken_builds, strike_at, faults, chance, tally, encoding
):
    new, duration, begins = unbroken_builds(encoding)
    old, _, _ = unbroken_builds(encoding, "small")
    output = workshop.folder / "output"
    output.mkdir()
    for name, content in old.items():
        (output / name).write_bytes(content)
    watch = Watch([output / name for name in old if name.endswith(".hdf5")])
    watch.start()
    try:
        for _ in range(max(1, faults // 4)):
            killed = strike_at(
                workshop.start_build(output, "--encoding", encoding, "--force"), chance.uniform(begins, duration)
            )
            tally.strike(killed)
            found = workshop.states(output)
            assert set(found) == set(new)
            assert all(found[name] in (old[name], new[name]) for name in new)
            tally.survive(killed)
        code, err = workshop.build(output, "--encoding", encoding, "--force")
        assert code == 0, err
    finally:
        watch.done.set()
        watch.join()
    assert workshop.states(output) == new
    assert watch.looks > 0
    assert not watch.problems, f"{len(watch.problems)} of {watch.looks} looks failed, as {watch.problems[0]}"


def test_a_killed_rebuild_is_resumed(workshop, unbroken_builds, when_building):
    """What a rebuild wrote before it was killed is as good as what a first build wrote."""
    new, _, _ = unbroken_builds("raw")
    old, _, _ = unbroken_builds("raw", "small")
    output = workshop.folder / "output"
    output.mkdir()
    for name, content in old.items():
        (output / name).write_bytes(content)
    process = workshop.start_build(output, "--force")
    when_building(process)
    while not (output / "val.hdf5.partial").exists() and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert workshop.states(output)["train.hdf5"] == old["train.hdf5"]
    code, err = workshop.build(output, "--force", "--resume")
    assert code == 0, err
    assert workshop.states(output) == new


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_killed_writer_is_resumed_to_the_same_bytes(tmp_path, run_program, faults, tally, encoding):
    """Thousands of moments can be tried here, the last instants of a file among them."""
    report = run_program("kill_writers.py", tmp_path, encoding, 30 * faults, timeout=60 + 5 * faults)
    tried, survived, seen = report.splitlines()[-1].split(maxsplit=2)
    tally.strike(int(tried))
    tally.survive(int(survived))
    assert (tried, seen) == (survived, "[]")


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
    return loaded.coef_.tobytes(), loaded.intercept_.tobytes(), (folder / "confusion_matrix.png").read_bytes()


def test_a_killed_training_leaves_old_or_whole_files(workshop, run_to_end, strike_at, faults, chance, tally):
    output = workshop.folder / "output"
    write_features(output / "features.hdf5")
    began = time.monotonic()
    code, err = run_to_end(workshop.start("train_model", "--jobs", 1))
    duration = time.monotonic() - began
    assert code == 0, err
    expected = outcome(output)
    for round_ in range(max(1, faults // 4)):
        anew = round_ % 2 == 0
        if anew:
            (output / "classifier.skops").unlink()
            (output / "confusion_matrix.png").unlink()
        killed = strike_at(
            workshop.start("train_model", "--jobs", 1, "--force"), chance.uniform(duration / 2, duration)
        )
        tally.strike(killed)
        if (output / "classifier.skops").exists() or not anew:
            assert zipfile.ZipFile(output / "classifier.skops").testzip() is None
        if (output / "confusion_matrix.png").exists() or not anew:
            assert cv2.imread(str(output / "confusion_matrix.png")) is not None
        code, err = run_to_end(workshop.start("train_model", "--jobs", 1, "--force"))
        assert code == 0, err
        assert outcome(output) == expected
        assert not list(output.glob("*.partial*"))
        tally.survive(killed)


def save_tiny_model(path: Path) -> None:
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    layers = [keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    described = Preparation(16, 16, "BGR", dict.fromkeys("RGB", 100.0), ["cat", "dog"])
    save_model(keras.Sequential(layers), path, described, Position())


def test_a_killed_extraction_leaves_old_or_whole_features(workshop, run_to_end, strike_at, faults, chance, tally):
    save_tiny_model(workshop.folder / "tiny.keras")
    features = workshop.folder / "output/features.hdf5"
    command = ("extract_features", "--model", "tiny.keras", "--batch-size", 2, "--buffer-size", 3, "--jobs", 1)
    code, err = run_to_end(workshop.start(*command))
    assert code == 0, err
    expected = features.read_bytes()
    for _ in range(max(1, faults // 4)):
        features.unlink()
        process = workshop.start(*command)
        while not os.path.exists(f"{features}.partial") and process.poll() is None:
            time.sleep(0.002)
        killed = strike_at(process, chance.uniform(0, 0.3))
        tally.strike(killed)
        assert features.exists() != killed or features.read_bytes() == expected
        code, err = run_to_end(workshop.start(*command, "--force"))
        assert code == 0, err
        assert features.read_bytes() == expected
        tally.survive(killed)
