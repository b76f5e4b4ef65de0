"""Shuffled reading for a long time: memory, file handles and threads stay as they are, and go at the end."""

import json

import pytest


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_long_reading_keeps_memory_handles_and_threads_flat(tmp_path, run_program, faults, tally, encoding):
    """For two minutes in all, and an hour where hundreds of faults are asked for."""
    seconds = 60 if faults < 200 else 1800
    report = run_program("read_long.py", tmp_path / "data.hdf5", encoding, seconds, timeout=120 + 2 * seconds)
    found = json.loads(report)
    tally.strike(found["batches"])
    assert found["batches"] > 50
    assert found["memory_end"] <= found["memory_warm"] * 1.01, found
    assert found["handles_most"] == found["handles_warm"], found
    assert found["threads_most"] == found["threads_warm"], found
    assert found["handles_after"] == found["handles_before"], found
    assert found["threads_after"] == found["threads_before"], found
    tally.survive(found["batches"])


def test_a_program_that_closes_nothing_ends_all_the_same(tmp_path, run_program, faults, tally):
    """With code 0, within the program's time, and without a word on stderr."""
    for number in range(max(1, faults // 4)):
        tally.strike()
        threads = run_program("left_open.py", tmp_path / f"{number}.hdf5", quiet=True)
        assert int(threads) > 4
        tally.survive()
