"""Records of programs that were killed, or stopped by Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyimagesearch.runs.record import read_runs

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys, time
from pathlib import Path
from pyimagesearch.cli import script
from pyimagesearch.cli.messages import info

@script("train")
def main(args, config):
    info("working")
    time.sleep(30)
    return {}

if __name__ == "__main__":
    raise SystemExit(main.run())
"""


@pytest.mark.parametrize("as_module", [True, False])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, "killed"), (signal.SIGINT, "stopped")])
def test_a_program_that_is_struck_down(place, as_module, number, status):
    (place / "tools").mkdir()
    (place / "tools/__init__.py").touch()
    (place / "tools/work.py").write_text(SCRIPT)
    command = [sys.executable, *(["-m", "tools.work"] if as_module else ["tools/work.py"]), "--config", "fox_config"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "working" in process.stdout.readline()
    process.send_signal(number)
    process.communicate(timeout=20)
    (run,) = read_runs("output")
    assert run.status == status
    assert run.script == "tools.work"
    assert run.command == ["python", "-m", "tools.work", "--config", "fox_config"]


def test_a_stop_that_the_script_does_not_hear_is_recorded(place):
    deaf = SCRIPT.replace("    time.sleep(30)\n", """
    while True:
        try:
            time.sleep(30)
        except KeyboardInterrupt:
            pass
""")  # fmt: skip
    (place / "work.py").write_text(deaf)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "work.py", "--config", "fox_config"], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "working" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert [run.status for run in read_runs("output")] == ["stopped"]


def test_a_library_that_makes_an_error_of_a_stop_is_stopped_all_the_same(place):
    """As TensorFlow does, while it traces a function."""
    turning = SCRIPT.replace("""    info("working")
    time.sleep(30)
""", """
    try:
        info("working")
        time.sleep(30)
    except KeyboardInterrupt:
        time.sleep(0.2)
        raise TypeError("cannot convert") from None
""")  # fmt: skip
    (place / "work.py").write_text(turning)
    process = subprocess.Popen(
        [sys.executable, "work.py", "--config", "fox_config"], env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "working" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert "stopped by Ctrl-C" in err
    (run,) = read_runs("output")
    assert (run.status, run.error) == ("stopped", "TypeError: cannot convert")
