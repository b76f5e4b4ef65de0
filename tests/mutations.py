"""Breaks the code one line at a time, and checks that a test notices each break.

$ python tests/mutations.py

Every entry of the table in `breaks.py` names a file, the line's exact text, what it becomes, and the tests that must
fail then. The repository itself is never touched: each break happens in a copy. Exits with 1 if a break went
unnoticed, if the tests fail without any, or if the text to break is no longer there exactly once.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from breaks import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("pyimagesearch", "dogs_vs_cats", "config", "tests", "pyproject.toml")
LIMIT = 300  # seconds for the tests of one break
FAILED = 1  # what pytest exits with when a test failed, and nothing else went wrong


def copy_repository(folder: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)


def run_tests(folder: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def verdict(mutation: Mutation) -> tuple[bool, str]:
    """Break a copy, run the tests there, and return whether one noticed, and what to print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_repository(folder)
        broken = folder / mutation.file
        text = broken.read_text("utf-8")
        if text.count(mutation.old) != 1 or "\n" in mutation.old + mutation.new:
            return False, f"stale: the text is there {text.count(mutation.old)} times"
        broken.write_text(text.replace(mutation.old, mutation.new), "utf-8")
        try:
            done = run_tests(folder, mutation.tests)
        except subprocess.TimeoutExpired:
            return False, f"no verdict: the tests ran for more than {LIMIT} s"
    if done.returncode == FAILED:
        failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return True, f"killed by {failed[0].split('::', 1)[-1] if failed else 'a test'}"
    if done.returncode == 0:
        return False, "SURVIVED"
    return False, f"no verdict: pytest exited with {done.returncode}: {done.stdout[-500:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-j", "--jobs", type=int, default=1, help="breaks that are tried at once (default: 1)")
    parser.add_argument("-k", "--only", default="", help="try only the breaks whose file or meaning holds this text")
    args = parser.parse_args()
    chosen = [m for m in MUTATIONS if args.only in m.file or args.only in m.what]
    start = time.monotonic()

    with tempfile.TemporaryDirectory() as name:
        copy_repository(Path(name))
        done = run_tests(Path(name), tuple(sorted({test for m in chosen for test in m.tests})))
        if done.returncode != 0:
            print(f"the tests fail without any break:\n{done.stdout[-3000:]}")
            return 1
    print(f"without any break all tests pass ({time.monotonic() - start:.0f} s)", flush=True)

    noticed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for mutation, (good, message) in zip(chosen, pool.map(verdict, chosen), strict=True):
            noticed += good
            print(f"{'ok  ' if good else 'FAIL'} {mutation.file}: {mutation.what}: {message}", flush=True)
    print(f"{noticed} of {len(chosen)} noticed in {time.monotonic() - start:.0f} s")
    return 0 if chosen and noticed == len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main())
