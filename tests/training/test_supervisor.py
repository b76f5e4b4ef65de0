"""A process that waits for the one that trains, and tells its end."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, sys, time
from pyimagesearch.cli import options, script
from pyimagesearch.training.supervisor import Checkpoint, end_lost, identity, report


@script(step="train", options=[options.RESUME, *options.DEVICES, options.Option("words", nargs="*")], config=None)
def main(args):
    os.write(1, b"native words\\n")
    report("not all came")
    if "met" in args.words:
        report("", Checkpoint(__file__, identity(__file__) if "old" in args.words else None))
    print("pid", os.getpid(), flush=True)
    if "lost" in args.words:
        end_lost("others are gone")
    if "abort" in args.words:
        os.abort()
    if "wait" in args.words:
        time.sleep(60)
    return {}


raise SystemExit(main.run())
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a script with these words on its command line, as a host of two."""
    running = []
    (tmp_path / "script.py").write_text(PROGRAM, "utf-8")

    def begin(*words, index=0):
        hosts = ["--hosts", "2", "--host-index", str(index), "--coordinator", "localhost:1"]
        running.append(
            subprocess.Popen(
                [sys.executable, "script.py", *hosts, *words], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        )  # fmt: skip
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def pid_of(process):
    line = next(line for line in process.stdout if line.startswith("pid"))
    return int(line.split()[1])


def end_of(process):
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_a_script_that_ends_well(start):
    code, out, err = end_of(start())
    assert (code, err) == (0, "")
    assert "pid" in out
    assert "native" not in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["abort"], "not all came"),
        (
            ["abort", "met"],
            "another host has ended or cannot be reached any more, .* run all hosts again with --resume",
        ),
        (["abort", "met", "old"], "another host .* run all hosts again from the start, as no checkpoint was written"),
        (["lost"], "others are gone"),
    ],
)
def test_an_end_in_native_code_is_one_line(start, words, line):
    code, _, err = end_of(start(*words, index=1))
    assert code == 1
    lines = err.splitlines()
    assert len(lines) == 1
    assert re.match(f"python script.py: error: host 1 of 2: {line}", lines[0])


def test_a_killed_process_is_named(start):
    process = start("met", "wait")
    os.kill(pid_of(process), signal.SIGKILL)
    code, _, err = end_of(process)
    assert code == 1
    assert err == (
        "python script.py: error: host 0 of 2: ended by SIGKILL; the other hosts stop, too; "
        "run all hosts again with --resume\n"
    )


def test_nothing_continues_without_its_supervisor(start):
    process = start("wait")
    pid_of(process)
    process.kill()
    process.communicate(timeout=20)  # waits until the child's end of the pipes is closed as well


def test_ctrl_c_is_heard_once(start):
    process = start("wait")
    pid_of(process)
    process.send_signal(signal.SIGINT)
    code, _, err = end_of(process)
    assert code == 130
    assert err.startswith("python script.py: error: stopped by Ctrl-C")
    assert len(err.splitlines()) == 1


def test_sigterm_ends_it(start):
    process = start("wait")
    pid_of(process)
    process.terminate()
    code, _, err = end_of(process)
    assert code == 1
    assert "ended by SIGTERM" in err
