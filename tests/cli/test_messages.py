"""Output of scripts: chapters, tables, colours, the library's log."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyimagesearch.cli import messages
from pyimagesearch.cli.running import Running
from pyimagesearch.utils.progress import is_coloured

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
    messages.table(("file", "images"), ("a", "1,000"), ("longer.hdf5", "8"))
    assert capsys.readouterr().out == "\nfile         images\na             1,000\nlonger.hdf5       8\n"


def test_names_in_a_table_cannot_write_on_the_terminal(capsys):
    messages.table(("the class",), ("\x1b[1mred\n",))
    assert capsys.readouterr().out == "\nthe class\n\\x1b[1mred\\n\n"


def test_a_header_is_bold_on_a_terminal(use_screen):
    screen = use_screen()
    messages.table(("class", "n"), ("cat", "1"))
    assert screen.getvalue() == "\n\033[1mclass  n\033[0m\ncat    1\n"


def test_an_empty_no_color_is_none(use_screen, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    assert is_coloured(use_screen())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nothing_is_coloured_where_nobody_wants_it(use_screen, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    screen = use_screen()
    messages.table(("class", "n"), ("cat", "1"))
    assert "\033" not in screen.getvalue()
    assert messages.verbosity() == 2


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
    assert messages.verbosity() == 1
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert messages.verbosity() == 2


def test_keras_is_silent_with_quiet(use_screen):
    screen = use_screen()
    with Running(quiet=True, json_alone=False):
        assert messages.verbosity() == 0
        assert messages.screen() is screen
    assert messages.verbosity() == 1


def test_the_story_is_printed(capsys, tmp_path):
    (tmp_path / "a").write_bytes(bytes(1500))
    messages.info("packing...")
    messages.wrote(tmp_path / "a")
    assert capsys.readouterr().out == f"[INFO] packing...\n[INFO] wrote {tmp_path / 'a'} (1.5 kB)\n"


def test_the_library_is_heard_in_a_block_alone(capsys):
    logger = logging.getLogger("pyimagesearch.building")
    with messages.library_heard(), messages.library_heard():
        logger.info("3 images were left out")
        logger.warning("the disk is nearly full")
        with Running(quiet=True, json_alone=False):
            logger.warning("unheard")
    logger.info("unheard")
    assert capsys.readouterr() == ("[INFO] 3 images were left out\n", "[INFO] the disk is nearly full\n")


def test_what_the_library_says_is_translated(capsys):
    with messages.library_heard(lambda words: words.replace("channels=1", "CHANNELS = 1")):
        logging.getLogger("pyimagesearch.somewhere").info("all gray: channels=1")
    assert capsys.readouterr().out == "[INFO] all gray: CHANNELS = 1\n"
