"""A process: its exit codes, its errors, and what native libraries print."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pyimagesearch.cli import program
from pyimagesearch.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


class TestRun:
    def test_success_is_0(self, capfd):
        assert program.run(lambda: print("done"), "train") == 0
        assert capfd.readouterr() == ("done\n", "")

    @pytest.mark.parametrize(
        ("error", "code", "message"),
        [
            (UserError("dims: must be\nwhole"), 2, "train: error: dims: must be whole\n"),
            (KeyboardInterrupt(), 130, "train: error: stopped by Ctrl-C; "),
            (OSError(28, "No space left on device"), 1, "train: error: OSError: [Errno 28] No space left on device\n"),
            (MemoryError("too much"), 1, "train: error: MemoryError: too much\n"),
        ],
        ids=["a user's mistake", "Ctrl-C", "a full disk", "memory"],
    )
    def test_failures_are_one_line_and_a_code(self, capfd, error, code, message):
        def main():
            raise error

        assert program.run(main, "train") == code
        err = capfd.readouterr().err
        assert err.startswith(message)
        assert err.count("\n") == 1

    def test_what_can_be_resumed_says_how(self, capfd, monkeypatch):
        def main():
            raise KeyboardInterrupt

        monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "train", "my folder"])
        assert program.run(main, "train", can_resume=True) == 130
        assert capfd.readouterr().err.endswith("; resume with: python -m train 'my folder' --resume\n")

    def test_our_own_mistakes_keep_their_traceback(self):
        with pytest.raises(ZeroDivisionError):
            program.run(lambda: 1 / 0, "train")


class TestHush:
    SPEAK = """
        import os, sys
        from pyimagesearch.cli import program
        def speak(where):
            os.write(2, f"C {where}\\n".encode())
            print(f"Python {where}", file=sys.stderr)
        try:
            with program.native_stderr_hushed():
                speak("inside")
                raise ZeroDivisionError
        except ZeroDivisionError:
            speak("after")
    """

    def heard(self, **environment):
        inherited = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
        program = [sys.executable, "-c", textwrap.dedent(self.SPEAK)]
        result = subprocess.run(
            program, cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, check=True
        )
        return result.stderr.splitlines()

    def test_c_libraries_are_hushed_and_python_is_not(self):
        assert self.heard() == ["Python inside", "C after", "Python after"]

    def test_who_wants_to_hear_everything_does(self):
        everything = ["C inside", "Python inside", "C after", "Python after"]
        assert self.heard(TF_CPP_MIN_LOG_LEVEL="0") == everything

    def test_what_captures_stderr_goes_on_capturing(self, capsys):
        with program.native_stderr_hushed():
            print("captured", file=sys.stderr)
        assert capsys.readouterr().err == "captured\n"

    def test_what_a_library_says_of_an_error_that_nothing_can_catch_is_dropped_in_the_block_alone(
        self, capsys, monkeypatch
    ):
        monkeypatch.setattr(program, "_WANTS_NATIVE_STDERR", False)  # TensorFlow may have set the variable
        excepthook = sys.excepthook
        with program.native_stderr_hushed():
            sys.excepthook(OSError, OSError("the disk is full"), None)  # as h5py tells it
        assert capsys.readouterr().err == ""
        assert sys.excepthook is excepthook


def test_a_name_of_a_file_cannot_write_on_the_terminal(capsys):
    def fail():
        raise UserError("\x1b[31mred\x07.jpg")

    assert program.run(fail, "train") == 2
    assert capsys.readouterr().err.endswith("error: \\x1b[31mred\\x07.jpg\n")
