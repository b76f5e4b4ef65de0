"""What does a machine with a GPU make of the data engine?

    python -m benchmarks.gpu                   about five minutes, never more than --limit; results are kept
    python -m benchmarks.gpu --smoke           the same with tiny sizes, to try it on any machine; nothing is kept
    python -m benchmarks.gpu --only fit --backends jax

Three questions, each asked in a process of its own for every backend that is installed:

* ``loader``: how fast are augmented batches on all processors, when nobody uses them?
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
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from . import _data, _measure, _results

_STORED = {227: 256, 96: 108}
_BACKENDS = ("jax", "torch")
_PRECISIONS = ("mixed_bfloat16", "float32")
_SAMPLE_SECONDS = 0.2


class Scale(NamedTuple):
    """How much of everything there is."""

    photographs: int
    batch: int
    seconds: float
    """How long an answer is measured for."""
    rounds: int
    extracted: int
    """Images of a round of features."""
    sizes: tuple[int, ...]
    """Of AlexNet's inputs, in pixels."""


_FULL, _SMOKE = Scale(6400, 128, 4.0, 3, 3072, (227, 96)), Scale(16, 8, 0.0, 1, 16, (96,))


class Ask(NamedTuple):
    """A question as a child process gets it: of its arguments, what its question has no use for is empty."""

    question: str
    backend: str
    precision: str = ""
    network: str = ""


# The questions in the order of their worth: those that --limit leaves no time for are not asked.
_ASKS = (
    Ask("loader", ""),
    Ask("fit", "jax", "mixed_bfloat16"), Ask("fit", "torch", "mixed_bfloat16"),
    Ask("features", "torch", "mixed_bfloat16", "resnet50"), Ask("features", "torch", "mixed_bfloat16", "densenet169"),
    Ask("fit", "jax", "float32"), Ask("fit", "torch", "float32"),
    Ask("features", "jax", "mixed_bfloat16", "resnet50"), Ask("features", "jax", "mixed_bfloat16", "densenet169"),
)  # fmt: skip


# ---------------------------------------------------------------- the GPU


def graphics_cards() -> list[str]:
    """Return the names of the GPUs, with their memory and driver; empty where ``nvidia-smi`` knows none."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in found.stdout.splitlines() if line.strip()]


class Busy:
    """Samples how busy the first GPU is while the block runs.

    Attributes:
        percent: the mean of the samples, or None where there are none.
    """

    percent: float | None = None

    def __enter__(self) -> "Busy":
        query = ["nvidia-smi", "-i", "0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        self._samples: list[float] = []
        self._process: subprocess.Popen[str] | None = None
        with contextlib.suppress(OSError):
            period = str(round(_SAMPLE_SECONDS * 1000))
            self._process = subprocess.Popen([*query, "-lms", period], stdout=subprocess.PIPE, text=True)
            threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        assert self._process is not None
        for line in self._process.stdout or ():
            with contextlib.suppress(ValueError):
                self._samples.append(float(line))

    def start(self) -> None:
        """Forget what was sampled so far."""
        self._samples.clear()

    def __exit__(self, *_: object) -> None:
        samples = list(self._samples)
        if samples:
            self.percent = sum(samples) / len(samples)
        if self._process is not None:
            self._process.kill()
            self._process.wait()


# ---------------------------------------------------------------- the questions, each in a process of its own


def steps(size: int, dtype: str) -> list[Any]:
    """Return the chapter's preprocessors; uint8 images leave the mean to the network."""
    from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor

    cut = [PatchPreprocessor(size, size), AugmentPreprocessor(**_data.AUGMENTATION)]
    return [*cut, MeanPreprocessor(*_data.MEANS)] if dtype == "float32" else cut


def ask_loader(where: _data.Setup, scale: Scale) -> None:
    """Count the images of shuffled epochs that nobody trains on."""
    from pyimagesearch.io import HDF5DatasetGenerator

    def batches(size: int, dtype: str) -> _measure.Stream:
        path = _data.raw_file(where, _STORED[size], scale.photographs)

        def items() -> Iterator[int]:
            data = HDF5DatasetGenerator(path, scale.batch, steps(size, dtype), shuffle=True, dtype=dtype)
            for images, _ in data.generator():
                yield len(images)

        return _measure.Stream(items(), ahead=3)

    cases = [(size, dtype) for size in scale.sizes for dtype in ("uint8", "float32")]
    sides = {f"{size} px, {dtype}": batches(size, dtype) for size, dtype in cases}
    speeds = _measure.race(sides, scale.rounds, scale.seconds / 4)
    for name, values in speeds.items():
        who = f"{name}, {_measure.cpus()} processors"
        _measure.report_value("loader alone, patch and augmentation", who, values, "images/s")


def ask_fit(where: _data.Setup, scale: Scale, precision: str) -> None:
    """Train AlexNet, fed from the file and from the GPU's own memory."""
    import keras

    keras.config.set_dtype_policy(precision)
    kinds = ["float32"] if precision == "float32" else ["uint8"]
    cases = [(size, dtype) for size in scale.sizes for dtype in kinds]
    if precision != "float32" and keras.backend.backend() == "jax":
        cases.append((max(scale.sizes), "float32"))  # what do four times the bytes cost?
    for size, dtype in cases:
        _fit(_data.raw_file(where, _STORED[size], scale.photographs), scale, size, dtype, precision)


def _fit(path: Path, scale: Scale, size: int, dtype: str, precision: str) -> None:
    import keras

    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.nn.conv import AlexNet

    class Waiting(HDF5DatasetGenerator):
        """Adds up how long it was asked for batches."""

        seconds = 0.0

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            start = time.perf_counter()
            try:
                return super().__getitem__(index)
            finally:
                self.seconds += time.perf_counter() - start

    class OnTheGpu(keras.utils.PyDataset):
        """One batch, which is there already, over and over."""

        def __init__(self, batch: tuple[Any, ...], count: int) -> None:
            super().__init__()
            self._batch, self._count = tuple(map(keras.ops.convert_to_tensor, batch)), count

        def __len__(self) -> int:
            return self._count

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            return self._batch

    class Clock(keras.callbacks.Callback):
        """Measures epochs after the first, in which functions are compiled, until the time is over."""

        def __init__(self, data: Any, images: int, busy: Busy, seconds: float) -> None:
            super().__init__()
            self.data, self.images, self.busy, self.seconds = data, images, busy, seconds
            self.speeds: list[float] = []
            self.waits: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.busy.start()
                self.end = time.perf_counter() + self.seconds
            self.start, self.waited = time.perf_counter(), getattr(self.data, "seconds", 0.0)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch:
                now = time.perf_counter()
                self.speeds.append(self.images / (now - self.start))
                waited = getattr(self.data, "seconds", 0.0) - self.waited
                self.waits.append(100 * waited / (now - self.start))
                self.model.stop_training = now >= self.end

    class EachBatch(keras.callbacks.Callback):
        """Looks at the results of every batch, as `TrainingCheckpoint` does."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pass

    data = Waiting(path, scale.batch, steps(size, dtype), shuffle=True, dtype=dtype)
    means = dict(zip("RGB", _data.MEANS, strict=True)) if dtype == "uint8" else None
    model = AlexNet.build(size, size, 3, 2, means=means)
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(1e-4), metrics=["accuracy"])

    def fit(batches: Any, seconds: float, *more: keras.callbacks.Callback) -> tuple[Clock, Busy]:
        with Busy() as busy:
            clock = Clock(batches, len(batches) * scale.batch, busy, seconds)
            model.fit(batches, epochs=10**6, shuffle=False, verbose=0, callbacks=[clock, *more])
        return clock, busy

    fed, busy = fit(data, scale.seconds)
    resident, _ = fit(OnTheGpu(data[0], len(data)), scale.seconds / 2)
    watched, _ = fit(data, scale.seconds / 2, EachBatch())
    data.close()
    who = f"{size} px, {keras.backend.backend()}, {precision}, {dtype} images"
    rounds, bare, watched_who = len(fed.speeds), "without", f"{who}, with"
    speeds = {
        who: fed.speeds,
        "data on the GPU": [median(resident.speeds)] * rounds,
        watched_who: [median(watched.speeds)] * rounds,
        bare: fed.speeds,
    }
    _measure.report("fit AlexNet: share of the GPU's own speed", speeds, who, "data on the GPU")
    _measure.report("fit AlexNet: with a callback after each batch", speeds, watched_who, bare)
    _measure.report_value("fit AlexNet: time waiting for data", who, fed.waits, "% of the time")
    if busy.percent is None:
        _measure.skip("fit AlexNet: GPU busy", "there is no nvidia-smi")
    else:
        _measure.report_value("fit AlexNet: GPU busy", who, [busy.percent], "% of the time")


def ask_features(where: _data.Setup, scale: Scale, network: str, precision: str) -> None:
    """Extract features from photographs and from HDF5, and of a batch in memory."""
    import keras
    import numpy as np

    from . import features

    features._BATCH = scale.batch  # a GPU is not busy with the 32 images that suit a processor
    extractor = features.FeatureExtractor.from_names(network, "none", precision=precision)
    pixels = np.random.default_rng(0).integers(0, 256, (scale.batch, *extractor.resize.shape), np.uint8)
    inputs = extractor.prepare(pixels)

    def in_memory() -> int:
        for _ in range(scale.extracted // scale.batch):
            extractor.predict(inputs)
        return scale.extracted

    bare, sides = "a batch in memory", {}
    sides[bare] = _measure.repeat(in_memory)
    stored = _data.raw_file(where, 256, scale.photographs)
    for source, dataset in (("HDF5", stored), ("photographs", where.images)):
        sides[f"from {source}"] = features.extraction(where, extractor, str(dataset), scale.extracted)
    with Busy() as busy:
        speeds = _measure.race(sides, scale.rounds, seconds=0)
    who = f"{network}, {keras.backend.backend()}, {precision}"
    for source in ("HDF5", "photographs"):
        speeds[who] = speeds[f"from {source}"]
        _measure.report(f"features from {source}: share of the network's own speed", speeds, who, bare)
    if busy.percent is not None:
        _measure.report_value("features: GPU busy, all three together", who, [busy.percent], "% of the time")


def answer(ask: Ask, where: _data.Setup, scale: Scale) -> None:
    """Print the answer to a question as JSON lines."""
    if ask.question == "loader":
        ask_loader(where, scale)
    elif ask.question == "fit":
        ask_fit(where, scale, ask.precision)
    else:
        ask_features(where, scale, ask.network, ask.precision)


# ---------------------------------------------------------------- the parent


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
        for stored in {256, *(_STORED[size] for size in scale.sizes)}:
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
                if args.output:  # also if somebody stops us
                    write(measured, args.output)
    print(f"\n{_results.table(measured)}\n\n[INFO] {time.monotonic() - start:.0f} s")
    if args.output or not (args.smoke or args.only):
        for path in write(measured, args.output or Path(__file__).parent / "results"):
            print(f"[INFO] wrote {path}")
    return int(any(m.get("failed") for m in measured))


if __name__ == "__main__":
    raise SystemExit(main())
