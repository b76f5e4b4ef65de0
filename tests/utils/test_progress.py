import io
import re
import sys

import pytest

from pyimagesearch.utils.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_through(capsys):
    assert list(progress(iter("abc"), 3, "Spelling")) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""


def test_the_end_is_told_in_one_line(capsys):
    list(progress(range(40), 2500, "Packing", weight=64))
    assert re.fullmatch(r"Packing: 100% \(2,500\) in [\d.]+ s, [\d,]+/s\n", capsys.readouterr().err)


def test_no_end_is_told_when_there_was_none(capsys):
    for item in progress(range(10), 10, "Packing"):
        if item == 3:
            break
    assert capsys.readouterr().err == ""


def test_long_work_is_told_of_now_and_then(capsys, monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    list(progress(range(10), 1000, "Packing", weight=100))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Packing: 30% (300 of 1,000), 25/s, ETA 0:00:28"
    assert len(lines) == 4
    assert lines[-1].startswith("Packing: 100% (1,000) in 44.0 s, 23/s")


def test_the_speed_is_that_of_this_run(capsys, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    list(progress(range(4), 1000, "Packing", weight=50, done=800))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Packing: 85% (850 of 1,000), 5/s, ETA 0:00:30"
    assert lines[-1] == "Packing: 100% (1,000) in 50.0 s, 4/s"


def test_a_terminal_sees_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress(range(5), 10, "Packing", weight=2)) == [0, 1, 2, 3, 4]
    assert "Packing" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


@pytest.mark.parametrize("total", [0, 1])
def test_little_work_is_fine(total, capsys):
    assert list(progress(range(total), total, "Packing")) == list(range(total))
    assert f"100% ({total})" in capsys.readouterr().err
