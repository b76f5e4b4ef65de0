"""Scripts that fault tests strike: run as a user runs them, or without the seconds of their imports."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FINAL = ("train.hdf5", "val.hdf5", "test.hdf5", "mean.json")
PRELOADED = (
    "pyimagesearch.cli", "cv2", "h5py", "keras", "matplotlib.backends.backend_agg", "matplotlib.figure",
    "skops.io", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.pipeline",
    "pyimagesearch.callbacks.trainingcheckpoint", "pyimagesearch.building.packing", "pyimagesearch.features.extractor",
    "small_alexnet",
)  # fmt: skip
SETTINGS = """
import builtins, os, signal

from config.dogs_vs_cats_config import *


def hold_once(function, holds):
    def held(*values, **options):
        global HOLD_AT
        if HOLD_AT and holds(*values):
            HOLD_AT = ""
            os.kill(os.getpid(), signal.SIGSTOP)
        return function(*values, **options)

    return held


HOLD_AT = os.environ.get("HOLD_AT")
if HOLD_AT == "settings":
    os.kill(os.getpid(), signal.SIGSTOP)
elif HOLD_AT == "sealing":
    from pyimagesearch.io import HDF5DatasetWriter

    HDF5DatasetWriter.seal = hold_once(HDF5DatasetWriter.seal, lambda writer: True)
elif HOLD_AT:
    builtins.print = hold_once(print, lambda text, *_: HOLD_AT in text)

IMAGES_PATH = "images"
NUM_VAL_IMAGES = 40
NUM_TEST_IMAGES = 30
STORED_SIZE, INPUT_SIZE = {size}, 40
BATCH_SIZE, EPOCHS, CHECKPOINT_BATCHES = 30, 2, 1
SEED = 7
OUTPUT_PATH = "output"
"""


def environment():
    """Return the environment of a user, who has neither pytest nor TensorFlow, which sets a variable, running."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "TF_CPP"))}
    return {**inherited, "PYTHONPATH": str(ROOT)}


class Child:
    """A script that the zygote runs, as far as it can be taken for a `subprocess.Popen`."""

    def __init__(self, pid, answers, said):
        self.pid, self.returncode = pid, None
        self._answers, self._said = answers, said

    def communicate(self, timeout=None):
        if self.returncode is None:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("zygote", timeout)
            self.returncode = os.waitstatus_to_exitcode(int(self._answers.readline()))
        return self._printed("out"), self._printed("err")

    def wait_for(self, text):
        """Wait until the script has printed ``text``, or is over; return whether it has."""
        while self.poll() is None and text not in self._printed("out"):
            time.sleep(0.002)
        return text in self._printed("out")

    def _printed(self, stream):
        return Path(f"{self._said}.{stream}").read_text("utf-8", "replace")

    def poll(self):
        """Return the exit code, or None as long as there is none."""
        try:
            self.communicate(0)
        except subprocess.TimeoutExpired:
            return None
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


class Zygote:
    """Starts scripts without the seconds that their imports take: see zygote.py."""

    def __init__(self, said):
        self._said = said
        program = [sys.executable, str(HERE / "zygote.py"), *PRELOADED]
        self._process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment()
        )
        assert self._process.stdout.readline() == b"ready\n"

    def start(self, folder, script, *arguments, room=None):
        for stream in ("out", "err"):
            Path(f"{self._said}.{stream}").write_text("")
        command = {"script": f"dogs_vs_cats.{script}", "arguments": arguments, "folder": str(folder), "room": room}
        self._process.stdin.write(json.dumps({**command, "said": str(self._said)}).encode() + b"\n")
        return Child(int(self._process.stdout.readline()), self._process.stdout, self._said)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Workshop:
    """A folder of images and scripts that are run on it as a user runs them, each in its own process."""

    def __init__(self, folder, zygote):
        self.folder, self._zygote = folder, zygote
        for name, size in (("small", 64), ("large", 96)):
            (folder / f"faults_{name}.py").write_text(SETTINGS.format(size=size), "utf-8")

    def start(self, script, *arguments, config="large", hold_at="", **options):
        """Start a script that stops itself at a certain point, and continues on SIGCONT.

        Args:
            hold_at: "settings" while it reads them; "sealing" when the first file has all its rows; or a part of
                what it is about to print.
        """
        command = [sys.executable, "-m", f"dogs_vs_cats.{script}", "--config", f"faults_{config}"]
        process = subprocess.Popen(
            [*command, *map(str, arguments)], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**environment(), "HOLD_AT": hold_at}, **options,
        )  # fmt: skip
        if hold_at:
            ended = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            assert ended.si_code == os.CLD_STOPPED, process.communicate()
        return process

    def fork(self, script, *arguments, config="large", room=None):
        """Start a script that has made its imports already; files may have ``room`` bytes."""
        settings = ("--config", f"faults_{config}") if script != "draw_sample" else ()
        return self._zygote.start(self.folder, script, *settings, *map(str, arguments), room=room)

    def start_build(self, output, *arguments, **options):
        return self.start("build_dogs_vs_cats", *self._build_options(output), *arguments, **options)

    def fork_build(self, output, *arguments, **options):
        return self.fork("build_dogs_vs_cats", *self._build_options(output), *arguments, **options)

    def build(self, output, *arguments, **options):
        """Build to the end; return the exit code and what was printed on stderr."""
        return finish(self.fork_build(output, *arguments, **options))

    def states(self, output):
        """Return the content of every final file that is there."""
        return {name: (output / name).read_bytes() for name in FINAL if (output / name).exists()}

    @staticmethod
    def _build_options(output):
        return "--buffer-size", 7, "--jobs", 1, "--output", output


def finish(process, timeout=60):
    try:
        _, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return process.returncode, err
