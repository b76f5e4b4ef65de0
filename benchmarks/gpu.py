"""How busy does the data engine keep a GPU?

    python -m benchmarks.gpu                   about five minutes, never more than --limit; results are kept
    python -m benchmarks.gpu --smoke           the same with tiny sizes, to try it on any machine; nothing is kept
    python -m benchmarks.gpu --only fit --backends jax

Three questions, each asked in a process of its own for every backend that is installed:

* ``loader``: how many augmented batches do all processors make, if none are used?
* ``fit``: AlexNet at 227 and 96 pixels in ``fit``, fed by `HDF5DatasetGenerator`: float32 images for a float32
  network, as in the chapter, and uint8 images for one in ``mixed_bfloat16``. Its rival is the same ``fit`` on one batch
  that lies in the GPU's memory already, so that the ratio is the share of the GPU's own speed that the engine lets it
  have. "Waiting" is the share of time in which ``fit`` stood still for the next batch. The host may run ahead of the
  GPU, so it is an upper bound of what the GPU waited. "GPU busy" is what ``nvidia-smi`` says: the share of time in
  which anything ran there. A callback that looks at the results of every batch keeps the host from running ahead; what
  that costs is measured, too.
* ``features``: ResNet50 and DenseNet169 with random weights, from the photographs and from HDF5, against the same
  network on a batch in memory.

It needs neither TensorFlow nor a connection. Besides Python 3.12 with JAX or PyTorch for the GPU, numpy, h5py,
opencv-python-headless, scikit-learn, matplotlib, absl-py, rich, ml-dtypes, packaging and typing-extensions, these
wheels will do (``pip download --no-deps``, 3 MB together): keras 3.15.1, namex 0.1.0, optree 0.20.0, progressbar2
4.6.0, python-utils 4.2.0. The scripts of ``dogs_vs_cats`` also want skops 0.16.0, prettytable 3.18.0, wcwidth 0.9.4
and imutils 0.5.4.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import _data, _measure, _results
from ._gpu_questions import STORED, Ask, Scale, answer

_BACKENDS = ("jax", "torch")
_PRECISIONS = ("mixed_bfloat16", "float32")
_FULL, _SMOKE = Scale(6400, 128, 4.0, 3, 3072, (227, 96)), Scale(16, 8, 0.0, 1, 16, (96,))

# The questions in the order of their worth: those that --limit leaves no time for are not asked.
_ASKS = (
    Ask("loader", ""),
    Ask("fit", "jax", "mixed_bfloat16"), Ask("fit", "torch", "mixed_bfloat16"),
    Ask("features", "torch", "mixed_bfloat16", "resnet50"), Ask("features", "torch", "mixed_bfloat16", "densenet169"),
    Ask("fit", "jax", "float32"), Ask("fit", "torch", "float32"),
    Ask("features", "jax", "mixed_bfloat16", "resnet50"), Ask("features", "jax", "mixed_bfloat16", "densenet169"),
)  # fmt: skip


def graphics_cards() -> list[str]:
    """Return the names of the GPUs, with their memory and driver; empty where ``nvidia-smi`` knows none."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in found.stdout.splitlines() if line.strip()]


def many_photographs(images: Path, count: int, folder: Path) -> Path:
    """Fill a folder with ``count`` photographs, each as often as it takes."""
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(path for path in images.iterdir() if path.suffix == ".jpg")
    kinds = [[path for path in found if path.name.startswith(kind)] for kind in ("cat", "dog")]
    for number in range(count):
        kind = kinds[number % 2]
        source = kind[number // 2 % len(kind)]
        target = folder / f"{source.name.split('.')[0]}.{number}.jpg"
        if not target.exists():
            shutil.copyfile(source, target)
    return folder


def run(ask: Ask, options: list[str], seconds: float) -> list[dict[str, Any]]:
    """Ask in a child process, for so many seconds; return what it measured until then."""
    title = " ".join(part for part in ask if part)
    print(f"[INFO] {title}...", flush=True)
    measured: list[dict[str, Any]] = []

    def skipped(why: str, **more: Any) -> dict[str, Any]:
        return {"script": "gpu", "question": title, "skipped": why, **more}

    if seconds <= 0:
        return [skipped("the time was over")]
    command = [sys.executable, "-m", "benchmarks.gpu", "--ask", json.dumps(ask), *options]
    environment = {
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ,
        "KERAS_BACKEND": ask.backend, "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    started, late = time.monotonic(), threading.Event()
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process:

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(seconds, stop)
            timer.start()
            for line in process.stdout or ():
                if line.startswith("{"):
                    measured.append({"script": "gpu", **json.loads(line)})
                    print(f"  {_results.in_words(measured[-1])}", flush=True)
                else:
                    print(line, end="", flush=True)
        timer.cancel()
        if late.is_set():
            measured.append(skipped("the time was over before it was done"))
        elif process.returncode:
            errors.seek(0)
            print(errors.read()[-3000:], file=sys.stderr, flush=True)
            measured.append(skipped(f"it failed with exit code {process.returncode}", failed=True))
    print(f"  {time.monotonic() - started:.0f} s", flush=True)
    return measured


def write(measured: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Write what was measured as the other benchmarks do: a JSON file and a page; return their paths."""
    cards, machine, today = graphics_cards(), _results.hardware(), datetime.date.today().isoformat()
    name = cards[0].split(",")[0] if cards else f"no gpu {machine['processor']}"
    slug = re.sub(r"[^a-z0-9]+", "-", f"gpu {name} {machine['processors']} cpus".lower()).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"date": today, "hardware": {**machine, "graphics": cards}, "measurements": measured}
    packages = ", ".join(f"{package} {number}" for package, number in machine["packages"].items())
    page = (
        f"# Benchmarks on a GPU, {today}\n\n{'; '.join(cards) or 'no GPU'}; {machine['processor']}, "
        f"{machine['processors']} processors, {machine['memory_gb']:.0f} GB, Python {machine['python']}; "
        f"{machine['system']}\n\n{packages}\n\n`python -m benchmarks.gpu` asks again; its docstring says what the "
        f"words mean.\n\n{_results.table(measured)}\n"
    )
    files = {folder / f"{today}-{slug}.json": json.dumps(whole, indent=1) + "\n", folder / f"{today}-{slug}.md": page}
    for path, content in files.items():
        path.write_text(content)
    return list(files)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=Path, help="folder of photographs named cat.0.jpg, dog.0.jpg, ...")
    parser.add_argument("--work", type=Path, help="folder for data sets, kept; a temporary one by default")
    parser.add_argument("--output", type=Path, help="folder for the results; benchmarks/results by default")
    parser.add_argument("--only", nargs="+", choices=("loader", "fit", "features"), help="questions to ask")
    parser.add_argument("--backends", nargs="+", choices=_BACKENDS, help="all that are installed by default")
    parser.add_argument("--precisions", nargs="+", choices=_PRECISIONS, default=_PRECISIONS, help="both by default")
    parser.add_argument("--limit", type=float, default=450, help="seconds after which no more is asked")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, and nothing is kept without --output")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    args = parser.parse_args()
    scale = _SMOKE if args.smoke else _FULL
    if args.ask:
        answer(Ask(*json.loads(args.ask)), _data.Setup(args.work, args.images, scale.rounds), scale)
        return 0

    start, measured = time.monotonic(), []
    backends = args.backends or [name for name in _BACKENDS if find_spec(name)]
    with contextlib.ExitStack() as stack:
        work = args.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        work.mkdir(parents=True, exist_ok=True)
        print(f"[INFO] {'; '.join(graphics_cards()) or 'no GPU'}; {_measure.cpus()} processors", flush=True)
        print("[INFO] preparing data sets...", flush=True)
        images = many_photographs(args.images or _data._images(None, work), scale.photographs, work / "many")
        for stored in {256, *(STORED[size] for size in scale.sizes)}:
            _data.raw_file(_data.Setup(work, images, scale.rounds), stored, scale.photographs)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
        options = ["--work", str(work), "--images", str(images), *(["--smoke"] if args.smoke else [])]
        for ask in _ASKS:
            wanted = (
                ask.question in (args.only or [ask.question])
                and ask.backend in ("", *backends)
                and ask.precision in ("", *args.precisions)
            )
            if wanted:
                left = args.limit - (time.monotonic() - start)
                measured += run(ask._replace(backend=ask.backend or backends[0]), options, left)
                if args.output:  # keeps them if interrupted later
                    write(measured, args.output)
    print(f"\n{_results.table(measured)}\n\n[INFO] {time.monotonic() - start:.0f} s")
    if args.output or not (args.smoke or args.only):
        for path in write(measured, args.output or Path(__file__).parent / "results"):
            print(f"[INFO] wrote {path}")
    return int(any(m.get("failed") for m in measured))


if __name__ == "__main__":
    raise SystemExit(main())
