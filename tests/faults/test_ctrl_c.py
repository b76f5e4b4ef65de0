"""Ctrl-C: every script stops at once, says so in one line, and how to resume where that is possible."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEAF = """
import contextlib
import time
from pyimagesearch.cli import script
from pyimagesearch.cli.messages import info

@script("train", config=None)
def main(args):
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            info("computing...")
            time.sleep(60)

if __name__ == "__main__":
    raise SystemExit(main.run())
"""
COMMANDS = {
    "build_dogs_vs_cats": ("--output", "new", "--jobs", 1, "--encoding", "jpeg"),
    "train_alexnet": ("--force", "--jobs", 1),
    "crop_accuracy": ("--jobs", 1, "--force"),
    "extract_features": ("--model", "output/alexnet.keras", "--force", "--jobs", 1),
    "train_model": ("--model", "new/classifier.skops", "--jobs", 2),
    "draw_sample": ("--images", 200, "--output", "new", "--jobs", 2),
    "demo": ("--images", "images"),
}


def patience():
    """Return in how many seconds a program must stop: two, and more if others keep all processors busy."""
    return 2 * max(1, 2 * os.getloadavg()[0] / os.cpu_count())


def interrupt(process):
    """Press Ctrl-C: a terminal sends it to all processes of the command."""
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.killpg(process.pid, signal.SIGINT)


def check_stopped(process, run_to_end, one_line):
    """Check how a script ends that was interrupted just now; return whether it was before its end, and its line."""
    struck = time.monotonic()
    code, err = run_to_end(process)
    assert time.monotonic() - struck < patience()
    assert code in (0, 130), f"{code}: {err}"
    line = one_line(err) if code else ""
    assert "stopped by Ctrl-C" in line or not code
    return code == 130, line


def resumption(line):
    """Return the command that a line says to resume with: the script, and its options after --config."""
    command = shlex.split(line.partition("resume with: ")[2])
    assert command[:2] == [sys.executable, "-m"]
    assert command[3:4] == ["--config"]
    assert command.count("--resume") == 1
    return command[2].removeprefix("dogs_vs_cats."), *command[5:]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, image_folder, unbroken_builds, make_workshop):
    """Return the output folder of a finished project."""
    shop = make_workshop(tmp_path_factory.mktemp("finished"))
    output = shop.folder / "output"
    output.mkdir()
    for name, content in unbroken_builds("raw")[0].items():
        (output / name).write_bytes(content)
    for script, *arguments in (("train_alexnet",), ("extract_features", "--model", "output/alexnet.keras")):
        process = shop.fork(script, *arguments)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    return output


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_stopped_build_names_the_command_that_resumes(
    workshop, unbroken_builds, run_to_end, faults, chance, tally, one_line, encoding
):
    expected, duration = unbroken_builds(encoding)
    output = workshop.folder / "out put"
    while tally.tried < max(1, faults // 4):
        process = workshop.fork_build(output, "--encoding", encoding)
        process.wait_for("building")
        time.sleep(chance.uniform(0, 0.6 * duration))
        interrupt(process)
        stopped, line = check_stopped(process, run_to_end, one_line)
        if stopped:
            tally.strike()
            code, err = run_to_end(workshop.fork(*resumption(line)))
            assert code == 0, err
            tally.survive()
        assert workshop.states(output) == expected
        shutil.rmtree(output)


@pytest.mark.parametrize("script", COMMANDS)
def test_every_script_stops_at_once(workshop, finished, run_to_end, faults, chance, tally, one_line, script):
    shutil.copytree(finished, workshop.folder / "output")
    reach = 2.0
    while tally.tried < max(1, faults // 8):
        process = workshop.fork(script, *COMMANDS[script])
        assert process.wait_for("[INFO]"), process.communicate()
        time.sleep(chance.uniform(0, reach))
        over = process.poll() is not None
        interrupt(process)
        stopped, line = check_stopped(process, run_to_end, one_line)
        if over:
            reach /= 2
        tally.strike(stopped)
        if "resume with" in line:
            assert script in ("build_dogs_vs_cats", "extract_features", "train_alexnet")
            code, err = run_to_end(workshop.fork(*resumption(line)))
            assert code == 0, err
        tally.survive(stopped)
        shutil.rmtree(workshop.folder / "new", ignore_errors=True)


def test_training_resumes_from_what_it_saved_or_begins_again(workshop, finished, run_to_end, tally, one_line):
    shutil.copytree(finished, workshop.folder / "output")
    last = workshop.folder / "output/alexnet_last.keras"
    for saved in (False, True):
        older = last.stat().st_ino
        tally.strike()
        process = workshop.fork("train_alexnet", "--force", "--jobs", 1)
        process.wait_for("training on" if saved else "compiling model")
        while saved and last.stat().st_ino == older and process.poll() is None:
            time.sleep(0.001)
        interrupt(process)
        stopped, line = check_stopped(process, run_to_end, one_line)
        assert not stopped or "resume with" in line
        tally.survive()


def test_ctrl_c_at_the_very_end_is_no_error(workshop, run_to_end, faults, tally, one_line):
    for _ in range(faults):
        output = workshop.folder / "output"
        process = workshop.fork_build(output)
        process.wait_for("wrote")
        tally.strike()
        while process.poll() is None:
            interrupt(process)
            time.sleep(0.0005)
        check_stopped(process, run_to_end, one_line)
        shutil.rmtree(output)
        tally.survive()


@pytest.mark.parametrize("script", ["build_dogs_vs_cats", "train_model"])
def test_ctrl_c_while_libraries_are_imported(workshop, finished, run_to_end, faults, chance, tally, one_line, script):
    shutil.copytree(finished, workshop.folder / "output")
    while tally.tried < max(1, faults // 8):
        process = workshop.start(script, *COMMANDS[script], hold_at="settings", start_new_session=True)
        process.send_signal(signal.SIGCONT)
        time.sleep(chance.uniform(0, 1))
        interrupt(process)
        stopped, _ = check_stopped(process, run_to_end, one_line)
        tally.strike(stopped)
        tally.survive(stopped)
        shutil.rmtree(workshop.folder / "new", ignore_errors=True)


def test_a_library_that_does_not_hear_of_it_is_no_obstacle(run_to_end, tally, one_line):
    """As one that computes for minutes without a return to Python."""
    tally.strike()
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert "computing" in process.stdout.readline()
    interrupt(process)
    stopped, _ = check_stopped(process, run_to_end, one_line)
    assert stopped
    tally.survive()
