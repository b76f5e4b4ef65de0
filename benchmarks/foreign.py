"""Files of other programs: does a conversion, or an epoch in order, read them at the speed of plain slices?

The rival is what everybody writes, ``dataset[i:i + 64]`` in order. With gzip's default chunks, and with those of 1,000
rows, it decodes every chunk many times; slices of 1,000 rows stand for those who know. Either side reads the whole
file, from the memory of the system.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.foreign.rows import PlannedRows

from . import _data, _measure

_SIDE, _ROWS, _BATCH, _MANY, _BAR = 64, 5_000, 64, 1_000, 0.8
_CHUNKS = {
    "default gzip chunks": True,
    "gzip, 1 row a chunk": (1, _SIDE, _SIDE, 3),
    "gzip, 50 rows a chunk": (50, _SIDE, _SIDE, 3),
    "gzip, 1,000 rows a chunk": (_MANY, _SIDE, _SIDE, 3),
    "gzip, a chunk for each channel": (100, _SIDE, _SIDE, 1),
}


def draw() -> np.ndarray:
    """Return blocks of colour with noise, which compress as photographs do."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 248, (_ROWS, _SIDE // 8, _SIDE // 8, 3), np.uint8)
    return np.kron(coarse, np.ones((1, 8, 8, 1), np.uint8)) + rng.integers(0, 8, (_ROWS, _SIDE, _SIDE, 3), np.uint8)


def slices(path: Path, step: int) -> None:
    with h5py.File(path) as file:
        images = file["images"]
        for start in range(0, len(images), step):
            images[start : start + step]


def blocks(path: Path) -> None:
    """Read as `convert` does."""
    with PlannedRows(plan_file(path)) as rows:
        for _ in rows.blocks():
            pass


def epoch(path: Path) -> None:
    """Read as the generator does in an epoch that is not shuffled."""
    loader = BatchLoader(path, _BATCH, dtype="uint8", choices=Choices(color_order="RGB"))
    for index in range(len(loader)):
        loader.batch(0, index)
    loader.close()


def speed(read: Callable[[], None]) -> float:
    start = time.perf_counter()
    read()
    return _ROWS / (time.perf_counter() - start)


def main() -> None:
    with _data.setup(__doc__) as where:
        images, path = draw(), where.work / "foreign.hdf5"
        for name, chunks in _CHUNKS.items():
            with h5py.File(path, "w") as file:
                file.create_dataset("images", data=images, chunks=chunks, compression="gzip")
                file["labels"] = np.arange(_ROWS) % 2
            sides: dict[str, Callable[[], None]] = {
                "conversion": lambda: blocks(path),
                "generator in order": lambda: epoch(path),
                f"slices of {_BATCH}": lambda: slices(path, _BATCH),
                f"slices of {_MANY:,}": lambda: slices(path, _MANY),
            }
            speeds: dict[str, list[float]] = {side: [] for side in sides}
            for _ in range(min(where.rounds, 3)):
                for side, read in sides.items():
                    speeds[side].append(speed(read))
            ours, fed, few, many = sides
            _measure.report(f"foreign, {name}: conversion", speeds, ours, few, _BAR, "rows/s")
            _measure.report(f"foreign, {name}: conversion, large slices", speeds, ours, many, _BAR, "rows/s")
            _measure.report(f"foreign, {name}: generator in order", speeds, fed, few, _BAR, "rows/s")
            os.unlink(path)


if __name__ == "__main__":
    main()
