"""Optional: FFCV's loader from its raw and JPEG formats, against ours.

FFCV 1.0.2 is no part of ``make bench``'s environment, because it must be compiled:

    apt-get install g++ pkg-config libopencv-dev libturbojpeg0-dev
    pip install "setuptools<80" torch numba
    pip install --no-build-isolation ffcv

Without it this script says so in one line.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

from . import _data, _measure
from ._data import BATCH, INPUT
from .generator import ours

_RAW, _JPEG = "crop + flip: against FFCV, raw", "JPEG, crop + flip: against FFCV, JPEG"
_AHEAD = 4


class Pixels:
    """Give FFCV's writer (image, label) by index; it stores RGB."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[np.ndarray, int]:
        return cv2.cvtColor(self.images[i], cv2.COLOR_BGR2RGB), i % 2


def write(images: np.ndarray, path: Path, mode: str) -> Path:
    from ffcv.fields import IntField, RGBImageField
    from ffcv.writer import DatasetWriter

    fields = {"image": RGBImageField(write_mode=mode, jpeg_quality=90), "label": IntField()}
    DatasetWriter(str(path), fields, num_workers=1).from_indexed_dataset(Pixels(images))
    return path


def pipeline(path: Path) -> _measure.Stream:
    """Return shuffled epochs: random crop of a fixed size and flip, uint8 out."""
    from ffcv.fields.decoders import IntDecoder, RandomResizedCropRGBImageDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import RandomHorizontalFlip

    scale = (INPUT / _data.STORED) ** 2
    size, fixed = (INPUT, INPUT), {"scale": (scale, scale), "ratio": (1.0, 1.0)}

    def items() -> Iterator[int]:
        decoder = RandomResizedCropRGBImageDecoder(size, **fixed)
        loader = Loader(
            str(path), batch_size=BATCH, num_workers=_measure.cpus(), order=OrderOption.RANDOM,
            os_cache=True, drop_last=False,
            pipelines={"image": [decoder, RandomHorizontalFlip()], "label": [IntDecoder()]},
        )  # fmt: skip
        while True:
            for images, _ in loader:
                yield len(images)

    return _measure.Stream(items(), _AHEAD)


def main() -> None:
    with _data.setup(__doc__) as where:
        if importlib.util.find_spec("ffcv") is None:
            for question in (_RAW, _JPEG):
                _measure.skip(question, "FFCV is not installed (it must be compiled: see ffcv_compare.py)")
            return
        raw, jpeg = _data.raw_file(where), _data.jpeg_file(where)
        steps = [PatchPreprocessor(INPUT, INPUT), AugmentPreprocessor(horizontal_flip=True)]
        images = _data.map_images(raw)
        for question, path, mode, bar in ((_RAW, raw, "raw", 2), (_JPEG, jpeg, "jpg", 1)):
            if path is None:
                _measure.skip(question, "this version has no JPEG encoding")
                continue
            theirs = write(images, where.work / f"{mode}.beton", mode)
            sides = {
                f"{mode}, crop + flip, uint8": ours(path, steps, "uint8"),
                f"FFCV {mode}": pipeline(theirs),
            }
            _measure.report(question, _measure.race(sides, where.rounds), *sides, bar=bar)
            theirs.unlink()


if __name__ == "__main__":
    main()
