"""Run every benchmark, one fresh process after the other, and keep the results.

    python -m benchmarks                       everything, about eight minutes
    python -m benchmarks --only build layouts  some of it; nothing is kept
    python -m benchmarks.generator             one question alone

Results go to ``benchmarks/results/<date>-<processor>.json`` and ``.md``, with a picture of the ratios.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import _results

_SCRIPTS = (
    "build", "generator", "jpeg", "shards", "tfdata", "grain_map", "dali", "ffcv_compare",
    "layouts", "foreign", "memory", "crops", "fit", "features", "classifier", "costs", "scaling", "scaling_rows",
)  # fmt: skip


def run(script: str, options: list[str]) -> list[dict[str, Any]]:
    """Run a script in a process of its own; return what it measured."""
    print(f"[INFO] {script}...", flush=True)
    measured: list[dict[str, Any]] = []
    command = [sys.executable, "-m", f"benchmarks.{script}", *options]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process:
            for line in process.stdout or ():
                if line.startswith("{"):
                    measured.append({"script": script, **json.loads(line)})
                    print(f"  {_results.in_words(measured[-1])}", flush=True)
                else:
                    print(line, end="", flush=True)
        if process.returncode:
            errors.seek(0)
            print(errors.read()[-3000:], file=sys.stderr)
            why = f"the script failed with exit code {process.returncode}"
            measured.append({"script": script, "question": script, "skipped": why, "failed": True})
    return measured


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=_SCRIPTS, metavar="SCRIPT", help=", ".join(_SCRIPTS))
    parser.add_argument("--images", type=Path, help="folder of photographs; drawn ones if there are none")
    parser.add_argument("--rounds", type=int, default=7, help="how often the sides of a question take turns")
    args = parser.parse_args()

    start, measured = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as work:
        options = ["--work", work, "--rounds", str(args.rounds)]
        if args.images:
            options += ["--images", str(args.images.resolve())]
        for script in args.only or _SCRIPTS:
            measured += run(script, options)
    print(f"\n{_results.table(measured)}\n\n[INFO] {time.monotonic() - start:.0f} s")
    if not args.only:
        for path in _results.write(measured):
            print(f"[INFO] wrote {path}")
    return int(any(m.get("failed") for m in measured))


if __name__ == "__main__":
    raise SystemExit(main())
