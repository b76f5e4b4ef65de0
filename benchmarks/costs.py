"""Where does the time of one image go? Processor time of each part, on one thread: what bounds a build and an epoch."""

import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.encodings.row import channel_sums
from pyimagesearch.io.images.decoding import decode_image, read_file
from pyimagesearch.preprocessing import AspectAwarePreprocessor, AugmentPreprocessor, PatchPreprocessor
from pyimagesearch.preprocessing.affine import matrix
from pyimagesearch.utils.parallel import OneOpenCVThread

from . import _data, _measure
from ._data import AUGMENTATION, BATCH, INPUT

_COUNT, _ROUNDS = 400, 5


def microseconds(call: Callable[[Any], Any], items: Sequence[Any]) -> list[float]:
    """Return the processor time of ``call`` for an item, in every round."""
    rounds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for item in items:
            call(item)
        rounds.append((time.process_time() - start) / len(items) * 1e6)
    return rounds


def epoch(loader: BatchLoader) -> list[float]:
    """Return the processor time of an image of a shuffled epoch, in every round."""
    rounds = []
    for number in range(_ROUNDS):
        start = time.process_time()
        for index in range(len(loader)):
            loader.batch(number, index)
        rounds.append((time.process_time() - start) / loader.num_rows * 1e6)
    loader.close()
    return rounds


def main() -> None:
    with _data.setup(__doc__) as where, OneOpenCVThread():
        images, resize = _data.photographs(where, _COUNT), AspectAwarePreprocessor(_data.STORED, _data.STORED)
        files = [images.root / path for path in images.paths]
        data = [read_file(path) for path in files]
        pixels = [decode_image(content) for content in data]
        rows = [np.ascontiguousarray(resize.preprocess(image)) for image in pixels]
        raw = _data.raw_file(where)
        augment, rng = AugmentPreprocessor(**AUGMENTATION), np.random.default_rng(0)
        patches = [PatchPreprocessor(INPUT, INPUT).preprocess(row, rng) for row in rows]
        warps = [(patch, matrix(augment.draw(INPUT, INPUT, rng), INPUT, INPUT)) for patch in patches]
        flags, out = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, np.empty((INPUT, INPUT, 3), np.uint8)
        size = (INPUT, INPUT)

        def warp(pair: tuple[np.ndarray, np.ndarray]) -> None:
            cv2.warpAffine(*pair, size, dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)

        def loader(*steps: Any) -> BatchLoader:
            patch = PatchPreprocessor(INPUT, INPUT)
            return BatchLoader(raw, BATCH, [patch, *steps], shuffle=True, dtype="uint8", threads=1)

        with open(where.work / "written.bin", "wb", buffering=0) as file:
            costs = {
                "build: read the file": microseconds(read_file, files),
                "build: decode": microseconds(decode_image, data),
                "build: resize": microseconds(resize.preprocess, pixels),
                "build: checksum": microseconds(zlib.crc32, rows),
                "build: sums of the channels": microseconds(channel_sums, rows),
                "build: write into the page cache": microseconds(file.write, rows),
                "epoch: the bare warp": microseconds(warp, warps),
                "epoch: augmented, all of it": epoch(loader(augment)),
                "epoch: a plain copy of a patch": microseconds(lambda patch: np.copyto(out, patch), patches),
                "epoch: crop and flip, all of it": epoch(loader(AugmentPreprocessor(horizontal_flip=True))),
            }
        for part, values in costs.items():
            _measure.report_value(f"cost of {part}", "one thread", values, "us of processor time an image")


if __name__ == "__main__":
    main()
