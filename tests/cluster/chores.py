"""Tasks that the tests of clusters run; workers import them by name."""

import os
import signal
import time
from pathlib import Path

from pyimagesearch.errors import UserError


def triple(number, work):
    for done in range(4):
        work.report(done)
        time.sleep(0.02)
    return 3 * number


def threads(number, work):
    return work.threads


def fail(number, work):
    if number == 3:
        raise UserError("number: must not be 3; received 3")
    return number


def divide(number, work):
    return 1 // number


def die_once(path, work):
    """End the worker at the first attempt."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return path.name


def die(number, work):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def rescue(number, work):
    return f"rescued {number}"


def find_nothing(number, work):
    return None


def run_on(path, work):
    """Write the time into a file until told to stop; then write that instead."""
    for turn in range(3000):
        path.write_text(str(time.time()))
        try:
            work.report(turn)
        except KeyboardInterrupt:
            path.write_text("stopped")
            raise
        time.sleep(0.01)


def fail_beside_others(path, work):
    """Fail once another task runs, which goes on until it is told to stop."""
    if path.name != "0":
        return run_on(path, work)
    while len(list(path.parent.iterdir())) == 0:
        time.sleep(0.01)
    return 1 // 0


def wait_for_gate(path, work):
    """Run until the file is there."""
    while not Path(path).exists():
        work.report(0)
        time.sleep(0.02)
    return "done"


def same():
    return {"library": "1"}


def differs():
    """Return another version in every process."""
    return {"library": str(os.getpid())}
