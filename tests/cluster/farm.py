"""Dask schedulers and workers that a test may kill."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


class Farm:
    """A Dask scheduler and its workers, in processes of their own.

    Args:
        folder: where they work.
    """

    def __init__(self, folder):
        self._folder, self._processes, self._started = folder, [], 0

    def start(self, workers=1, **environment):
        """Start a scheduler and workers; return the scheduler's address."""
        self._started += 1
        file = self._folder / f"scheduler-{self._started}.json"
        self._run({}, "scheduler", "--port", 0, "--no-dashboard", "--scheduler-file", file, "--host", "127.0.0.1")
        options = ("--nthreads", 1, "--no-nanny", "--no-dashboard")
        for _ in range(workers):
            self._run(environment, "worker", "--scheduler-file", file, *options)
        while True:
            with contextlib.suppress(OSError, ValueError):
                return json.loads(file.read_text())["address"]
            time.sleep(0.02)

    def kill_scheduler(self):
        self._processes[0].kill()

    def stop(self):
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes = []

    def _run(self, environment, program, *arguments):
        paths = os.pathsep.join([str(HERE), str(HERE.parents[1])])
        command = [sys.executable, "-m", "dask", program, *map(str, arguments)]
        self._processes.append(
            subprocess.Popen(
                command, cwd=self._folder, env={**os.environ, "PYTHONPATH": paths, **environment},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
