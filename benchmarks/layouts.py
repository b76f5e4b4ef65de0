"""Files of other programs: are they read faster than by plain h5py, and never slower?

Shuffled batches of 64, without preprocessing. The rival indexes the dataset by the sorted rows of each
batch, which is the one way that h5py offers. The last question measures rows, not images.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pyimagesearch.io.batching.batchloader import BatchLoader

from . import _data, _measure
from ._data import BATCH

_ROWS = 640
_SHAPE = (128, 128, 3)


def layouts() -> dict[str, tuple[Any, dict[str, Any], float]]:
    """Return for every layout: its dtype, how h5py makes it, and the bar."""
    one, many = (1, *_SHAPE), (32, *_SHAPE)
    return {
        "1 image a chunk": (np.uint8, {"chunks": one}, 10),
        "32 images a chunk": (np.uint8, {"chunks": many}, 10),
        "chunks=True": (np.uint8, {"chunks": True}, 10),
        "contiguous uint8": (np.uint8, {}, 1),
        "contiguous float32": (np.float32, {}, 1),
        "contiguous float64, the chapter's": (np.float64, {}, 1),
        "1 image a chunk, gzip": (np.uint8, {"chunks": one, "compression": "gzip"}, 1),
        "32 images a chunk, gzip": (np.uint8, {"chunks": many, "compression": "gzip"}, 1),
    }


def write(path: Path, images: np.ndarray, options: dict[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, **options)
        file["labels"] = np.arange(len(images)) % 2


def ours(path: Path, dtype: str) -> _measure.Stream:
    def items() -> Iterator[int]:
        loader, epoch = BatchLoader(path, BATCH, shuffle=True, dtype=dtype), 0
        while True:
            for i in range(len(loader)):
                yield len(loader.batch(epoch, i))
            epoch += 1

    return _measure.Stream(items())


def plain(path: Path, dtype: str) -> _measure.Stream:
    def items() -> Iterator[int]:
        images, rng = h5py.File(path)["images"], np.random.default_rng(0)
        while True:
            order = rng.permutation(len(images))
            for start in range(0, len(order), BATCH):
                rows = np.sort(order[start : start + BATCH])
                yield len(images[rows].astype(dtype, copy=False))

    return _measure.Stream(items())


def main() -> None:
    with _data.setup(__doc__) as where:
        smooth = _data.map_images(_data.raw_file(where))[:_ROWS, : _SHAPE[0], : _SHAPE[1]]
        for name, (dtype, options, bar) in layouts().items():
            path = where.work / "layout.hdf5"
            write(path, smooth.astype(dtype), options)
            out = "uint8" if dtype == np.uint8 else "float32"
            sides = {"ours": ours(path, out), "h5py": plain(path, out)}
            speeds = _measure.race(sides, min(where.rounds, 5), seconds=0.2)
            _measure.report(f"foreign layout: {name}", speeds, "ours", "h5py", bar)
            path.unlink()


if __name__ == "__main__":
    main()
