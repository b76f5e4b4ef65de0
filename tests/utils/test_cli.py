import argparse
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.utils import cli

ROOT = Path(__file__).resolve().parents[2]


class TestParser:
    def test_every_tool_takes_a_config(self):
        assert cli.parser("Packs.").parse_args([]).config == "config.dogs_vs_cats_config"
        assert cli.parser("Packs.", "my.settings").parse_args([]).config == "my.settings"
        assert cli.parser("Packs.").parse_args(["--config", "other"]).config == "other"

    def test_a_mistake_is_told_in_one_line(self, capsys):
        with pytest.raises(SystemExit) as caught:
            cli.parser("Packs.").parse_args(["--colour"])
        assert caught.value.code == 2
        message = capsys.readouterr().err
        assert message.endswith("error: unrecognized arguments: --colour; see --help\n")
        assert message.count("\n") == 1


class TestConfig:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        before = set(sys.modules)
        yield tmp_path
        for name in set(sys.modules) - before:
            del sys.modules[name]

    def test_a_module_of_settings_is_found_from_here(self, folder):
        (folder / "settings").mkdir()
        (folder / "settings" / "foxes.py").write_text("BATCH_SIZE = 7")
        path = list(sys.path)
        assert cli.load_config("settings.foxes").BATCH_SIZE == 7
        assert sys.path == path

    def test_a_missing_setting_is_named(self, folder):
        (folder / "foxes_settings.py").write_text("BATCH_SIZE = 7")
        config = cli.load_config("foxes_settings")
        with pytest.raises(
            UserError, match="EPOCHS: must be set in foxes_settings, which lacks it; copy its line from"
        ):
            _ = config.EPOCHS

    @pytest.mark.parametrize("name", ["no_settings_here", "no_settings_here.foxes"])
    def test_a_missing_module_is_named(self, folder, name):
        with pytest.raises(UserError, match=f"--config: must name a module of settings; received {name}, which was"):
            cli.load_config(name)

    def test_a_file_s_name_is_no_module_s(self, folder):
        with pytest.raises(UserError, match=r"received the file settings.foxes\.py; write settings\.foxes and run"):
            cli.load_config(os.path.join("settings", "foxes.py"))

    def test_a_module_that_the_settings_miss_is_not_blamed_on_them(self, folder):
        (folder / "foxes_config.py").write_text("import no_such_library")
        with pytest.raises(ModuleNotFoundError, match="no_such_library"):
            cli.load_config("foxes_config")


class TestMeans:
    def test_means_are_read(self, tmp_path):
        (tmp_path / "mean.json").write_text('{"R": 1.5, "G": 2, "B": 3.25, "X": 9}')
        assert cli.read_means(tmp_path / "mean.json") == {"R": 1.5, "G": 2.0, "B": 3.25}

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(UserError, match=r"DATASET_MEAN: .*mean\.json does not exist; run build_dogs_vs_cats first"):
            cli.read_means(tmp_path / "mean.json")

    @pytest.mark.parametrize("content", ["", "[1, 2, 3]", '{"R": 1, "G": 2}', '{"R": 1, "G": 2, "B": "blue"}', "3"])
    def test_a_wrong_file_is_named(self, tmp_path, content):
        (tmp_path / "mean.json").write_text(content)
        with pytest.raises(UserError, match=r"DATASET_MEAN: .*mean\.json must be JSON with the numbers R, G and B"):
            cli.read_means(tmp_path / "mean.json")


class TestPositiveInt:
    @pytest.mark.parametrize(("text", "number"), [("1", 1), ("64", 64)])
    def test_whole_numbers_are_converted(self, text, number):
        assert cli.positive_int(text) == number

    @pytest.mark.parametrize("text", ["0", "-3"])
    def test_others_are_refused(self, text):
        with pytest.raises(argparse.ArgumentTypeError, match=f"must be at least 1; received {text}"):
            cli.positive_int(text)

    @pytest.mark.parametrize("text", ["x", "2.5"])
    def test_what_is_no_number_is_refused(self, text):
        with pytest.raises(ValueError, match=text):
            cli.positive_int(text)


@pytest.mark.parametrize(("text", "number"), [("-1", -1), ("3", 3)])
def test_processes_may_be_all_of_them(text, number):
    assert cli.processes(text) == number


@pytest.mark.parametrize("text", ["0", "-2"])
def test_no_processes_are_too_few(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"must be at least 1; received {text}"):
        cli.processes(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (491_000, "491 kB"),
        (1_234_567_890, "1.2 GB"),
        (31_000_000_000_000, "31.0 TB"),
        (2_500_000_000_000_000, "2500.0 TB"),
    ],
)
def test_sizes_are_written_as_people_do(count, text):
    assert cli.human_bytes(count) == text


def test_the_story_is_printed(capsys, tmp_path):
    (tmp_path / "a").write_bytes(bytes(1500))
    cli.info("packing...")
    cli.wrote(tmp_path / "a")
    assert capsys.readouterr().out == f"[INFO] packing...\n[INFO] wrote {tmp_path / 'a'} (1.5 kB)\n"


class TestRun:
    @pytest.fixture(autouse=True)
    def name(self, monkeypatch):
        monkeypatch.setattr(sys, "argv", ["/somewhere/train.py"])

    def test_success_is_0(self, capfd):
        assert cli.run(lambda: print("done")) == 0
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

        assert cli.run(main) == code
        err = capfd.readouterr().err
        assert err.startswith(message)
        assert err.count("\n") == 1

    def test_our_own_mistakes_keep_their_traceback(self):
        with pytest.raises(ZeroDivisionError):
            cli.run(lambda: 1 / 0)


class TestHush:
    SPEAK = """
        import os, sys
        from pyimagesearch.utils import cli
        def speak(where):
            os.write(2, f"C {where}\\n".encode())
            print(f"Python {where}", file=sys.stderr)
        try:
            with cli.native_stderr_hushed():
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
        with cli.native_stderr_hushed():
            print("captured", file=sys.stderr)
        assert capsys.readouterr().err == "captured\n"

    def test_what_a_library_says_of_an_error_that_nothing_can_catch_is_dropped_in_the_block_alone(
        self, capsys, monkeypatch
    ):
        monkeypatch.setattr(cli, "_WANTS_NATIVE_STDERR", False)  # TensorFlow may have set the variable
        excepthook = sys.excepthook
        with cli.native_stderr_hushed():
            sys.excepthook(OSError, OSError("the disk is full"), None)  # as h5py tells it
        assert capsys.readouterr().err == ""
        assert sys.excepthook is excepthook


def test_a_name_of_a_file_cannot_write_on_the_terminal(capsys):
    def fail():
        raise UserError("\x1b[31mred\x07.jpg")

    assert cli.run(fail) == 2
    assert capsys.readouterr().err.endswith("error: \\x1b[31mred\\x07.jpg\n")
