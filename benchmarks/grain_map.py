"""How fast is grain's MapDataset over the same memory map, with the same OpenCV calls, on threads?"""

import importlib.util
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor
from pyimagesearch.preprocessing.affine import matrix

from . import _data, _measure
from ._data import AUGMENTATION, BATCH, INPUT
from .generator import ours

_AUGMENTED, _CROPPED = "augmented: against grain", "crop + flip: against grain"
_AHEAD = 8


def pipeline(images: np.ndarray, change: Any) -> _measure.Stream:
    """Return shuffled epochs of grain; ``change(image, rng)`` makes an image of a row."""
    import grain

    class Change(grain.transforms.RandomMap):
        def random_map(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
            return change(images[row], rng), row % 2

    def items() -> Iterator[int]:
        rows = grain.MapDataset.source(range(len(images))).seed(0).shuffle().repeat(reseed_each_epoch=True)
        batches = rows.random_map(Change()).batch(BATCH)
        # to_iter_dataset comes last, so that each of grain's threads makes whole batches
        reading = grain.ReadOptions(num_threads=_measure.cpus(), prefetch_buffer_size=2 * _measure.cpus())
        for batch, _ in batches.to_iter_dataset(reading):
            yield len(batch)

    return _measure.Stream(items(), _AHEAD)


def window(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    y, x = rng.integers(0, image.shape[0] - INPUT + 1), rng.integers(0, image.shape[1] - INPUT + 1)
    return image[y : y + INPUT, x : x + INPUT]


def main() -> None:
    with _data.setup(__doc__) as where:
        if importlib.util.find_spec("grain") is None:
            for question in (_AUGMENTED, _CROPPED):
                _measure.skip(question, "grain is not installed (pip install grain)")
            return
        raw = _data.raw_file(where)
        images = _data.map_images(raw)
        patch, flip = PatchPreprocessor(INPUT, INPUT), AugmentPreprocessor(horizontal_flip=True)
        augment = AugmentPreprocessor(**AUGMENTATION)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

        def warped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            m = matrix(augment.draw(INPUT, INPUT, rng), INPUT, INPUT)
            return cv2.warpAffine(window(image, rng), m, (INPUT, INPUT), flags=flags, borderMode=cv2.BORDER_REPLICATE)

        def flipped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            patch = window(image, rng)
            return cv2.flip(patch, 1) if rng.random() < 0.5 else patch

        sides = {
            "augmented, uint8": ours(raw, [patch, augment], "uint8"),
            "grain, one affine warp": pipeline(images, warped),
        }
        _measure.report(_AUGMENTED, _measure.race(sides, where.rounds), *sides, bar=1.3)
        sides = {
            "crop + flip, uint8": ours(raw, [patch, flip], "uint8"),
            "grain, crop + flip": pipeline(images, flipped),
        }
        _measure.report(_CROPPED, _measure.race(sides, where.rounds), *sides, bar=3)


if __name__ == "__main__":
    main()
