"""Records are read as they were written, whatever else is in the file."""

import json

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.runs.record import append, read_runs

SCRIPT = "dogs_vs_cats.train_alexnet"


def start(run, script=SCRIPT, schema=1, **more):
    return {
        "schema": schema, "event": "start", "run": run, "time": "2026-11-22T06:00:00+00:00", "script": script,
        "command": ["python"], "folder": "/", "config": None, "seed": None, "versions": {}, "hardware": {},
    } | more  # fmt: skip


def end(run, status="done", **more):
    return {
        "schema": 1, "event": "end", "run": run, "time": "2026-11-22T06:00:09+00:00", "seconds": 9.0, "status": status,
        "error": None, "backend": "jax", "devices": [], "inputs": [], "outputs": [], "results": {"x": run},
    } | more  # fmt: skip


@pytest.fixture
def record(tmp_path):
    """Return a function that writes events and lines to a record, and returns its path."""

    def write(*events):
        path = tmp_path / "runs.jsonl"
        lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
        path.write_bytes(b"\n".join([*lines, b""]))
        return path

    return write


def test_runs_are_in_the_order_of_their_starts(record):
    path = record(start("a"), start("b"), end("b"), start("c"), end("a", "failed", error="no"))
    runs = read_runs(path)
    assert [(run.run, run.status, run.seconds) for run in runs] == [
        ("a", "failed", 9.0), ("b", "done", 9.0), ("c", "killed", None),
    ]  # fmt: skip
    assert (runs[0].error, runs[1].backend, runs[1].results) == ("no", "jax", {"x": "b"})
    assert runs[2].results == {}
    assert runs.unreadable == 0
    assert read_runs(path.parent) == runs


@pytest.mark.parametrize(
    "line",
    [
        b"{", b"\xff\xfe", b"[1]", b"3", b"null", b"{}", b'{"schema": 1, "event": "start", "run": "x"}',
        b'{"schema": "1", "event": "start"}', json.dumps(start("x", event="middle")).encode(),
        json.dumps(end("never started")).encode(), json.dumps(start([])).encode(), b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_event_is_skipped_and_counted(record, line):
    runs = read_runs(record(start("a"), line, b"", end("a")))
    assert [(run.run, run.status) for run in runs] == [("a", "done")]
    assert runs.unreadable == 1


def test_fields_of_the_future_are_left_aside(record):
    (run,) = read_runs(record(start("a", weather="rain"), end("a", weather="sun")))
    assert run.status == "done"


def test_a_newer_schema_is_refused(record):
    with pytest.raises(UserError, match=r"run record: \S+ must be of schema 1 or older; received 2; install a newer"):
        read_runs(record(start("a", schema=2)))


def test_a_missing_record_is_named(tmp_path):
    with pytest.raises(UserError, match=r"run record: \S+runs\.jsonl cannot be read \(No such file.*run a script"):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    ("script", "step", "expected"),
    [
        ("dogs_vs_cats.train_alexnet", {}, "train"),
        ("pets.crop_accuracy", {}, "crops"),
        ("report", {}, "report"),
        ("pets.learn", {"step": "train"}, "train"),
    ],
)
def test_records_of_former_versions_name_the_step_by_the_script(record, script, step, expected):
    (run,) = read_runs(record(start("a", script, **step)))
    assert (run.script, run.step) == (script, expected)


def test_lines_are_appended_whole(tmp_path):
    path = tmp_path / "runs.jsonl"
    append(path, [start("a")])
    with open(path, "ab") as file:
        file.write(b'{"schema": 1, "event": "en')
    append(path, [end("a"), start("b")])
    runs = read_runs(path)
    assert [(run.run, run.status) for run in runs] == [("a", "done"), ("b", "killed")]
    assert runs.unreadable == 1
