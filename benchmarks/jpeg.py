"""Do epochs from the JPEG encoding run at the speed of bare decoding?

The rival decodes the same JPEG bytes, quality 90, from memory on all processors, and does nothing else:
no reading, no shuffling, no crop, no batch.
"""

import cv2

from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

from . import _data, _measure
from ._data import INPUT
from .generator import limit, ours

_QUESTION = "JPEG, crop + flip: share of bare decoding"


def main() -> None:
    with _data.setup(__doc__) as where:
        path = _data.jpeg_file(where)
        if path is None:
            _measure.skip(_QUESTION, "this version has no JPEG encoding")
            return
        pixels = _data.map_images(_data.raw_file(where))
        encoded = [cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1] for image in pixels]
        steps = [PatchPreprocessor(INPUT, INPUT), AugmentPreprocessor(horizontal_flip=True)]
        sides = {
            "JPEG encoding, crop + flip, uint8": ours(path, steps, "uint8"),
            "bare imdecode": limit(len(encoded), lambda i, _: cv2.imdecode(encoded[i], cv2.IMREAD_COLOR), fresh=False),
        }
        _measure.report(_QUESTION, _measure.race(sides, where.rounds), *sides, bar=0.85)


if __name__ == "__main__":
    main()
