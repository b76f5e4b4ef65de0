"""The questions of `benchmarks.gpu`, each of which is asked in a process of its own."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from . import _data, _measure

STORED = {227: 256, 96: 108}
"""Pixels that images are stored with, by AlexNet's input."""

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


class Ask(NamedTuple):
    """A question for a child process; arguments that the question does not need are empty."""

    question: str
    backend: str
    precision: str = ""
    network: str = ""


class Busy:
    """Sample the load of the first GPU while the block runs.

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


def steps(size: int, dtype: str) -> list[Any]:
    """Return the chapter's preprocessors; uint8 images leave the mean to the network."""
    from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor

    cut = [PatchPreprocessor(size, size), AugmentPreprocessor(**_data.AUGMENTATION)]
    return [*cut, MeanPreprocessor(*_data.MEANS)] if dtype == "float32" else cut


def ask_loader(where: _data.Setup, scale: Scale) -> None:
    """Count the images of shuffled epochs, without training."""
    from pyimagesearch.io import HDF5DatasetGenerator

    def batches(size: int, dtype: str) -> _measure.Stream:
        path = _data.raw_file(where, STORED[size], scale.photographs)

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
        _fit(_data.raw_file(where, STORED[size], scale.photographs), scale, size, dtype, precision)


def _fit(path: Path, scale: Scale, size: int, dtype: str, precision: str) -> None:
    import keras

    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.nn.conv import AlexNet

    class Waiting(HDF5DatasetGenerator):
        """Add up the time spent in making batches."""

        seconds = 0.0

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            start = time.perf_counter()
            try:
                return super().__getitem__(index)
            finally:
                self.seconds += time.perf_counter() - start

    class OnTheGpu(keras.utils.PyDataset):
        """Give one batch, made in advance, over and over."""

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
