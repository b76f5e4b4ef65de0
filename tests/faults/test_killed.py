"""Builds that are killed at any moment: no file is ever half there, and the next run ends as an unbroken one."""

import shutil
import threading

import pytest

from pyimagesearch.io.format.dataset import read_header


def check_finished_names(output):
    for path in output.glob("*.hdf5"):
        read_header(path)


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_killed_build_is_resumed_to_the_same_bytes(
    workshop, unbroken_builds, strike_at, faults, chance, tally, encoding
):
    expected, duration = unbroken_builds(encoding)
    output, waiting = workshop.folder / "output", 0
    arguments = ("--encoding", encoding, "--resume")
    while tally.tried < faults:
        killed = strike_at(workshop.fork_build(output, *arguments), chance.uniform(0, duration))
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
            self.done.wait(0.001)


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_killed_rebuild_leaves_old_or_new_files_at_every_moment(
    workshop, unbroken_builds, strike_at, faults, chance, tally, encoding
):
    new, duration = unbroken_builds(encoding)
    old, _ = unbroken_builds(encoding, "small")
    output = workshop.folder / "output"
    output.mkdir()
    for name, content in old.items():
        (output / name).write_bytes(content)
    watch = Watch([output / name for name in old if name.endswith(".hdf5")])
    watch.start()
    try:
        while tally.tried < faults:
            killed = strike_at(
                workshop.fork_build(output, "--encoding", encoding, "--force"), chance.uniform(0, 1.2 * duration)
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


def test_a_killed_rebuild_is_resumed(workshop, unbroken_builds):
    """Rows that a killed rebuild wrote are kept, like those of a first build."""
    new, _ = unbroken_builds("raw")
    old, _ = unbroken_builds("raw", "small")
    output = workshop.folder / "output"
    output.mkdir()
    for name, content in old.items():
        (output / name).write_bytes(content)
    process = workshop.start_build(output, "--force", hold_at="sealing")
    process.kill()
    process.communicate()
    assert (output / "train.hdf5.partial").stat().st_size > len(new["train.hdf5"]) / 2
    assert workshop.states(output) == old
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
