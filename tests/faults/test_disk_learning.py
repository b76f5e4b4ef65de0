"""Disks that fill up and folders that vanish while learning: one clear line, old files kept, nothing half-made."""

import os
import shutil
import signal
import time

import pytest


@pytest.fixture
def finished(workshop, unbroken_builds, run_to_end):
    """Return the output folder of a project that was trained, and whose features were extracted."""
    output = workshop.folder / "output"
    output.mkdir()
    for name, content in unbroken_builds("raw")[0].items():
        (output / name).write_bytes(content)
    for script, *arguments in (TRAINING, EXTRACTION):
        code, err = run_to_end(workshop.fork(script, *arguments))
        assert code == 0, err
    return output


TRAINING = ("train_alexnet", "--jobs", 1)
EXTRACTION = ("extract_features", "--model", "output/alexnet.keras", "--jobs", 1, "--buffer-size", 3, "--batch-size", 2)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("command", "file"), [(TRAINING, "alexnet_last.keras"), (EXTRACTION, "features.hdf5")], ids=["training", "features"]
)
def test_a_full_disk_ends_it_with_one_line(
    workshop, finished, run_to_end, faults, chance, tally, one_line, command, file
):
    for _ in range(max(2, faults // 4)):
        before = content(finished)
        room = chance.randrange(100, len(before[file]))
        tally.strike()
        code, err = run_to_end(workshop.fork(*command, "--force", room=room))
        assert code in (1, 2), f"{code} with room for {room:,} bytes: {err}"
        one_line(err)
        assert content(finished).keys() == before.keys()
        assert content(finished)[file] == before[file]
        tally.survive()


def test_an_output_folder_that_vanishes_ends_the_extraction(
    workshop, finished, freeze, run_to_end, faults, chance, tally, one_line
):
    output = workshop.folder / "elsewhere"
    features, reach = output / "features.hdf5", 3.0
    while tally.tried < max(1, faults // 4):
        process = workshop.fork(*EXTRACTION, "--output", features)
        time.sleep(chance.uniform(0, reach))
        frozen = freeze(process)
        if not frozen:
            reach *= 0.8
        struck = frozen and os.path.exists(f"{features}.partial")
        shutil.rmtree(output, ignore_errors=True)
        if not struck:
            process.kill()
            process.communicate()
            continue
        tally.strike()
        process.send_signal(signal.SIGCONT)
        code, err = run_to_end(process)
        assert code in (1, 2), err
        assert str(output) in one_line(err)
        assert not output.exists() or not os.listdir(output)
        tally.survive()
