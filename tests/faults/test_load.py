"""Shuffled reading for a long time: memory, file handles and threads stay as they are, and go at the end."""

import json

import pytest


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_long_reading_keeps_memory_handles_and_threads_flat(tmp_path, run_program, faults, tally, encoding):
    seconds = 0.6 * faults
    report = run_program("read_long.py", tmp_path / "data.hdf5", encoding, seconds, timeout=60 + 2 * seconds)
    found = json.loads(report)
    tally.strike(found["batches"])
    assert found["batches"] > 50
    assert found["memory_end"] <= found["memory_warm"] * 1.01 + 2**20, found
    assert found["handles_most"] == found["handles_warm"], found
    assert found["threads_most"] == found["threads_warm"], found
    assert found["handles_after"] == found["handles_before"], found
    assert found["threads_after"] == found["threads_before"], found
    tally.survive(found["batches"])
