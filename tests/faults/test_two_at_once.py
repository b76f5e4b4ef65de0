"""Several processes at one data set: one writes, the others wait or keep what they have, all read what is right."""

import shutil
import signal
import threading

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header


def look(folder):
    """Return what tells whether any file of a folder, but the run record, was written, replaced or removed."""
    files = (path for path in folder.iterdir() if path.name != "runs.jsonl")
    return {p.name: (p.stat().st_ino, p.stat().st_size, p.stat().st_mtime_ns) for p in files}


@pytest.mark.parametrize("how", ["", "--force", "--resume"])
def test_a_second_build_to_one_output_says_so_and_touches_nothing(
    workshop, unbroken_builds, run_to_end, tally, one_line, how
):
    output = workshop.folder / "output"
    first = workshop.start_build(output, hold_at="sealing")
    try:
        before = look(output)
        assert list(before) == ["train.hdf5.partial"]
        tally.strike()
        code, err = workshop.build(output, *filter(None, [how]))
        assert code == 2
        assert "another process is writing" in one_line(err)
        assert look(output) == before
    finally:
        first.send_signal(signal.SIGCONT)
    code, err = run_to_end(first)
    assert code == 0, err
    assert workshop.states(output) == unbroken_builds("raw")[0]
    tally.survive()


def test_of_two_builds_that_begin_together_one_wins(workshop, unbroken_builds, run_to_end, faults, tally, one_line):
    output = workshop.folder / "output"
    for _ in range(max(1, faults // 4)):
        tally.strike()
        pair = [workshop.start_build(output, hold_at="building") for _ in range(2)]
        for process in pair:
            process.send_signal(signal.SIGCONT)
        ends = sorted(run_to_end(process) for process in pair)
        assert [code for code, _ in ends] == [0, 2], ends
        one_line(ends[1][1])
        assert workshop.states(output) == unbroken_builds("raw")[0]
        assert not list(output.glob("*.partial*"))
        shutil.rmtree(output)
        tally.survive()


def test_readers_keep_the_old_file_while_it_is_replaced(workshop, unbroken_builds, tally):
    output = workshop.folder / "output"
    old, new = unbroken_builds("raw", "small")[0], unbroken_builds("raw")[0]
    output.mkdir()
    for name, content in old.items():
        (output / name).write_bytes(content)
    loader = BatchLoader(output / "train.hdf5", 16, dtype="uint8", shuffle=True)
    rows = np.arange(loader.num_rows)
    right = loader.images(0, rows)
    tally.strike()
    process = workshop.fork_build(output, "--force")
    epochs = 0
    while process.poll() is None or epochs < 3:
        for batch in range(len(loader)):
            assert (loader.batch(epochs, batch) == right[loader.rows(epochs, batch)]).all()
        epochs += 1
    assert process.returncode == 0, process.communicate()
    assert workshop.states(output) == new
    assert (loader.images(0, rows) == right).all()
    loader.close()
    tally.survive()


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
@pytest.mark.parametrize("way", ["fork", "spawn", "threads"])
def test_eight_readers_see_every_row_right(tmp_path, run_program, faults, tally, way, encoding):
    seconds = min(60, 0.3 * faults)
    tally.strike(8)
    report = run_program("eight_readers.py", tmp_path / "data.hdf5", encoding, way, seconds, timeout=60 + 3 * seconds)
    rows, wrong, readers = map(int, report.split())
    assert rows >= 8 * 200
    assert (wrong, readers) == (0, 8)
    tally.survive(8)


def test_a_file_can_be_opened_at_every_moment_while_it_is_replaced(tmp_path, faults, tally):
    path, images = tmp_path / "data.hdf5", np.zeros((4, 8, 8, 3), np.uint8)

    def replace():
        with HDF5DatasetWriter(images.shape, path, overwrite=True) as writer:
            writer.add(images, [0, 1, 0, 1])

    def look():
        while not done.is_set():
            looks.append(path)
            try:
                read_header(path)
            except UserError as error:
                problems.append(str(error))

    replace()
    looks, problems, done = [], [], threading.Event()
    looker = threading.Thread(target=look)
    looker.start()
    for _ in range(10 * faults):
        tally.strike()
        before = len(problems)
        replace()
        tally.survive(len(problems) == before)
    done.set()
    looker.join()
    assert looks
    assert not problems, f"{len(problems)} of {len(looks)} looks failed, as {problems[0]}"
