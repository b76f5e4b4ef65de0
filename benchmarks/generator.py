"""How fast are shuffled epochs, 256 -> 227, against the chapter's generator and against the limit?

The chapter reads in the order of the file; ours shuffles. The chapter's own file holds float64; its
generator is also given our uint8 file, which is the kinder comparison and the one that the bars are for.
The limits are what nothing written with OpenCV or numpy can beat: the bare calls, on views cut and
matrices computed beforehand, each processor on its own half of the rows, into one small buffer that
stays in the cache ("reused") or into new batches that must be paged in ("fresh").
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor
from pyimagesearch.preprocessing.affine import matrix

from . import _data, _measure, book
from ._data import AUGMENTATION, BATCH, INPUT, MEANS
from ._measure import Stream

_FLOAT64_ROWS = 384
_AHEAD = 4
_LIMIT_BATCHES = 8


def ours(path: Path, steps: list[Any], dtype: str, threads: int | None = None) -> Stream:
    """Return shuffled epochs of our generator, as Keras asks for them."""

    def items() -> Iterator[int]:
        generator = HDF5DatasetGenerator(path, BATCH, steps, shuffle=True, dtype=dtype, threads=threads)
        while True:
            generator.on_epoch_begin()
            for i in range(len(generator)):
                images, _ = generator[i]
                yield len(images)

    return Stream(items(), _AHEAD)


def chapter(path: Path, aug: Any = None) -> Stream:
    """Return the chapter's generator with patch and mean."""

    def items() -> Iterator[int]:
        steps = [book.BookPatch(INPUT, INPUT), book.BookMean(*MEANS), book.BookImageToArray()]
        for images, _ in book.BookGenerator(path, BATCH, steps, aug).generator():
            yield len(images)

    return Stream(items())


def limit(n: int, call: Callable[[int, np.ndarray], Any], fresh: bool) -> Stream:
    """Return ``call(i, out)`` for all i below n on all processors, with nothing around it."""
    pool = ThreadPoolExecutor(_measure.cpus())
    kept = np.empty((_measure.cpus(), INPUT, INPUT, 3), np.uint8)

    def fill(thread: int, start: int, stop: int) -> None:
        if fresh:
            for first in range(start, stop, BATCH):
                batch = np.empty((min(BATCH, stop - first), INPUT, INPUT, 3), np.uint8)
                for place in range(len(batch)):
                    call((first + place) % n, batch[place])
        else:
            out = kept[thread]
            for i in range(start, stop):
                call(i % n, out)

    def items() -> Iterator[int]:
        at, half = 0, _LIMIT_BATCHES * BATCH
        while True:
            tasks = [pool.submit(fill, t, at + t * half, at + (t + 1) * half) for t in range(_measure.cpus())]
            for task in tasks:
                task.result()
            at = (at + len(tasks) * half) % n
            yield len(tasks) * half

    return Stream(items())


def random_patches(images: np.ndarray) -> list[np.ndarray]:
    """Return a view of a random window of every image, in a random order."""
    rng = np.random.default_rng(0)
    spans = [images.shape[axis] - INPUT + 1 for axis in (1, 2)]
    places = zip(rng.permutation(len(images)), *(rng.integers(0, s, len(images)) for s in spans), strict=True)
    return [images[row, y : y + INPUT, x : x + INPUT] for row, y, x in places]


def warps(patches: list[np.ndarray], fresh: bool) -> Stream:
    """Return the bare ``cv2.warpAffine`` calls of a full augmentation."""
    augment, rng = AugmentPreprocessor(**AUGMENTATION), np.random.default_rng(0)
    matrices = [matrix(augment.draw(INPUT, INPUT, rng), INPUT, INPUT) for _ in patches]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def call(i: int, out: np.ndarray) -> None:
        cv2.warpAffine(patches[i], matrices[i], (INPUT, INPUT), dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)

    return limit(len(patches), call, fresh)


def copies(patches: list[np.ndarray], fresh: bool) -> Stream:
    """Return plain copies of the patches."""
    return limit(len(patches), lambda i, out: np.copyto(out, patches[i]), fresh)


def main() -> None:
    with _data.setup(__doc__) as where:
        raw = _data.raw_file(where)
        patch, mean = PatchPreprocessor(INPUT, INPUT), MeanPreprocessor(*MEANS)
        augment, flip = AugmentPreprocessor(**AUGMENTATION), AugmentPreprocessor(horizontal_flip=True)
        report, rounds = _measure.report, where.rounds

        some, theirs = _data.photographs(where, _FLOAT64_ROWS), where.work / "float64.hdf5"
        book.build(some.root, some.paths, some.labels.tolist(), theirs, _data.STORED)
        sides = {
            "patch + mean, float32": ours(raw, [patch, mean], "float32"),
            "chapter's generator, uint8 file": chapter(raw),
            "chapter's generator, its float64 file": chapter(theirs),
        }
        speeds = _measure.race(sides, rounds)
        name, uint8, float64 = sides
        report("generator: patch + mean", speeds, name, uint8, bar=4)
        report("generator: patch + mean, chapter's own file", speeds, name, float64, bar=4)
        theirs.unlink()

        patches = random_patches(_data.map_images(raw))
        sides = {
            "augmented, uint8": ours(raw, [patch, augment], "uint8"),
            "augmented + mean, float32": ours(raw, [patch, augment, mean], "float32"),
            "augmented, uint8, 1 thread": ours(raw, [patch, augment], "uint8", threads=1),
            "bare warpAffine, reused": warps(patches, fresh=False),
            "bare warpAffine, fresh": warps(patches, fresh=True),
            "chapter's generator + ImageDataGenerator": chapter(raw, book.book_augmentation(**AUGMENTATION)),
        }
        speeds = _measure.race(sides, rounds)
        uint8, float32, single, reused, fresh, theirs_augmented = sides
        report("augmented: uint8 out", speeds, uint8, theirs_augmented, bar=30)
        report("augmented: float32 out, mean subtracted", speeds, float32, theirs_augmented, bar=10)
        report("augmented: uint8, share of the limit", speeds, uint8, reused, bar=0.85)
        report("augmented: uint8, share of the limit into new memory", speeds, uint8, fresh)
        report("augmented: float32, share of the limit", speeds, float32, reused, bar=0.7)
        report("augmented: 1 -> 2 threads", speeds, uint8, single, bar=1.8)

        sides = {
            "crop + flip, uint8": ours(raw, [patch, flip], "uint8"),
            "plain copy, reused": copies(patches, fresh=False),
            "plain copy, fresh": copies(patches, fresh=True),
        }
        speeds = _measure.race(sides, rounds)
        name, reused, fresh = sides
        report("crop + flip: share of a plain copy into new memory", speeds, name, fresh, bar=0.5)
        report("crop + flip: share of a plain copy into the cache", speeds, name, reused)


if __name__ == "__main__":
    main()
