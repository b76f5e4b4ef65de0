"""Tables and colours."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyimagesearch.utils import cli
from pyimagesearch.utils.terminal import is_coloured, obey, scope

ROOT = Path(__file__).resolve().parents[2]


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def use_screen(monkeypatch):
    """Return a function that makes stdout and stderr a terminal that shows colours, and returns it."""

    def use():
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        return screen

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return use


def test_a_table_is_aligned(capsys):
    cli.table(("file", "images"), ("a", "1,000"), ("longer.hdf5", "8"))
    assert capsys.readouterr().out == "\nfile         images\na             1,000\nlonger.hdf5       8\n"


def test_names_in_a_table_cannot_write_on_the_terminal(capsys):
    cli.table(("the class",), ("\x1b[1mred\n",))
    assert capsys.readouterr().out == "\nthe class\n?[1mred?\n"


def test_a_header_is_bold_on_a_terminal(use_screen):
    screen = use_screen()
    cli.table(("class", "n"), ("cat", "1"))
    assert screen.getvalue() == "\n\033[1mclass  n\033[0m\ncat    1\n"


def test_an_empty_no_color_is_none(use_screen, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    assert is_coloured(use_screen())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nothing_is_coloured_where_nobody_wants_it(use_screen, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    screen = use_screen()
    cli.table(("class", "n"), ("cat", "1"))
    assert "\033" not in screen.getvalue()
    assert cli.verbosity() == 2


@pytest.mark.parametrize("no_color", ["", "1"])
def test_bars_are_coloured_unless_nobody_wants_it(no_color):
    pty = pytest.importorskip("pty")
    program = "from pyimagesearch.utils.progress import progress; list(progress(range(3), 3, 'Counting'))"
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": no_color, "PYTHONPATH": str(ROOT)}
    reading, writing = pty.openpty()
    subprocess.run([sys.executable, "-c", program], env=environment, stderr=writing, check=True)
    os.close(writing)
    shown = os.read(reading, 10_000)
    os.close(reading)
    assert b"Counting" in shown
    assert (b"\033" in shown) == (not no_color)


def test_keras_shows_a_bar_on_a_terminal_and_a_line_an_epoch_elsewhere(use_screen, monkeypatch):
    use_screen()
    assert cli.verbosity() == 1
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert cli.verbosity() == 2


def test_keras_is_silent_with_quiet(use_screen):
    screen = use_screen()
    with scope():
        obey(quiet=True, json_alone=False)
        assert cli.verbosity() == 0
        assert cli.screen() is screen
    assert cli.verbosity() == 1


def test_options_without_a_script_change_nothing(capsys):
    cli.parser("Packs.").parse_args(["--quiet", "--json"])
    print("heard")
    assert capsys.readouterr().out == "heard\n"


def test_a_script_without_settings_has_no_config():
    args = cli.parser("Draws.", default_config=None).parse_args(["--quiet"])
    assert vars(args) == {"quiet": True, "json": False}
