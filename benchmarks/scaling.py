"""How much faster are 1, 2 and 4 workers on this machine, and what do they cost?

Building, extracting features, and reading the batches of a training, each by worker processes that share the
processors; what the scheduler adds to a task; and the memory that a worker takes. More workers than processors
cannot be faster: what they show is that they cost little. `scaling_rows` asks about more images.
"""

import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.building.splitbuilder import SplitBuilder
from pyimagesearch.cluster import open_cluster
from pyimagesearch.cluster.tasks import Cluster, Work
from pyimagesearch.features.imagesource import open_images
from pyimagesearch.io import label_from_name
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.batching.share import Share
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.preprocessing import AspectAwarePreprocessor, AugmentPreprocessor, PatchPreprocessor

from . import _data, _measure

_WORKERS = (1, 2, 4)
_BUILT, _EXTRACTED, _SHARDS, _EMPTY = 2400, 1536, 8, 500
_EPOCHS = 2


def nothing(task: int, work: Work) -> None:
    """Do nothing: the task costs only its scheduling."""
    del task, work


def memory(task: int = 0, work: Work | None = None) -> tuple[int, float]:
    """Return this process's number, and the memory that is its own, in MB: the file's pages are the system's."""
    del task, work
    time.sleep(0.05)  # so that every worker gets some
    status = Path("/proc/self/status").read_text("ascii")
    return os.getpid(), next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1024


def builds(where: _data.Setup, cluster: Cluster, name: str) -> _measure.Stream:
    """Make a stream of builds of the same images."""
    images = _data.photographs(where, _BUILT)
    rows = {"train": np.arange(len(images.paths))}
    resize = AspectAwarePreprocessor(_data.STORED, _data.STORED)
    path = where.work / name / "train.hdf5"

    def build() -> int:
        builder = SplitBuilder(
            images, rows, resize, Decoding(3), shards=_SHARDS, cluster=cluster, fingerprints=True
        )  # fmt: skip
        builder.build({"train": path}, overwrite=True)
        return len(images.paths)

    return _measure.repeat(build)


def extractions(where: _data.Setup, cluster: Cluster, name: str, extractor: Any) -> _measure.Stream:
    """Make a stream of extractions from the same images."""
    from pyimagesearch.features.extraction import FeatureExtraction

    from .features import write_features

    images = open_images(where.images, label_from_name, _measure.cpus())
    order = np.random.default_rng(0).permutation(len(images.labels))[:_EXTRACTED]

    def extract() -> int:
        extraction = FeatureExtraction(extractor, images, order, shards=_SHARDS, cluster=cluster)
        extraction.run(write_features, where.work / name / "features.hdf5", overwrite=True)
        return len(order)

    return _measure.repeat(extract)


def read(path: Path, index: int, count: int, ready: Barrier, results: Any) -> None:
    """Read this process's share of the batches of some epochs; put the seconds, and its memory in MB."""
    steps = [PatchPreprocessor(_data.INPUT, _data.INPUT), AugmentPreprocessor(**_data.AUGMENTATION)]
    threads = max(1, _measure.cpus() // count)
    loader = BatchLoader(
        path, _data.BATCH, steps, shuffle=True, dtype="uint8", threads=threads, share=Share(index, count)
    )
    loader.batch(0, 0)
    ready.wait()
    start = time.perf_counter()
    for epoch in range(_EPOCHS):
        for number in range(len(loader)):
            loader.batch(epoch, number)
    results.put((time.perf_counter() - start, memory()[1]))
    loader.close()


def readings(path: Path, count: int) -> tuple[float, float]:
    """Return how many images a second ``count`` processes read together, and the memory of the largest, in MB."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(count, timeout=60), context.Queue()
    processes = [context.Process(target=read, args=(path, i, count, ready, results)) for i in range(count)]
    for process in processes:
        process.start()
    found = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    images = BatchLoader(path, 1).num_rows * _EPOCHS
    return images / max(seconds for seconds, _ in found), max(most for _, most in found)


def race(where: _data.Setup, question: str, clusters: dict[str, Cluster], make: Callable[..., _measure.Stream]) -> None:
    """Race the clusters against this process."""
    sides = {name: make(where, cluster, name.replace(" ", "")) for name, cluster in clusters.items()}
    speeds = _measure.race(sides, min(where.rounds, 3), seconds=0)
    alone, *others = sides
    for name in others:
        _measure.report(f"{question}: {name}", speeds, name, alone)


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from pyimagesearch.features.extractor import FeatureExtractor  # not where workers import this module

    with _data.setup(__doc__) as where:
        extractor = FeatureExtractor.from_names("mobilenet", "none", alpha=0.25)
        for count in _WORKERS:
            word = f"{count} worker{'s' if count > 1 else ''}"
            with open_cluster(None) as here, open_cluster(f"local:{count}") as cluster:
                sides = {"this process": here, word: cluster}
                race(where, "build", sides, builds)
                built = dict(r for _, r in cluster.run(memory, range(20 * count), label="Asking", total=20 * count))
                race(where, "features of mobilenet 0.25", sides, lambda *a: extractions(*a, extractor))
                most = dict(r for _, r in cluster.run(memory, range(20 * count), label="Asking", total=20 * count))
                start = time.perf_counter()
                for _ in cluster.run(nothing, range(_EMPTY), label="Doing nothing", total=_EMPTY):
                    pass
                overhead = (time.perf_counter() - start) / _EMPTY * 1000
            _measure.report_value(f"memory of a worker, build: {word}", "largest", [max(built.values())], "MB")
            _measure.report_value(f"memory of a worker, features: {word}", "largest", [max(most.values())], "MB")
            _measure.report_value(f"scheduler: {word}", "a task of nothing", [overhead], "ms a task")
        path, speeds, most = _data.raw_file(where), {}, {}
        for _ in range(min(where.rounds, 3)):
            for count in _WORKERS:
                word = f"{count} process{'es' if count > 1 else ''}"
                speed, megabytes = readings(path, count)
                speeds.setdefault(word, []).append(speed)
                most.setdefault(word, []).append(megabytes)
        alone, *others = speeds
        for word in others:
            _measure.report(f"training input, augmented: {word}", speeds, word, alone)
        for word, values in most.items():
            _measure.report_value(f"memory of a process, training input: {word}", "largest", values, "MB")


if __name__ == "__main__":
    main()
