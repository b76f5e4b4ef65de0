"""How fast is DALI's CPU pipeline on the photographs, against ours on its JPEG encoding of them?

DALI decodes the source files at their own size in every epoch, resizes, crops and warps once, on as
many threads as there are processors. Our file holds the same photographs resized once, as JPEG.
"""

import importlib.util
from collections.abc import Iterator

from pyimagesearch.io.images.folder import ImageFolder
from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

from . import _data, _measure
from ._data import AUGMENTATION, BATCH, INPUT, STORED
from .generator import ours

_QUESTION = "JPEG, augmented: against DALI on the CPU"
_AHEAD = 4


def pipeline(images: ImageFolder) -> _measure.Stream:
    """Return shuffled epochs: decode, resize, crop, one affine warp."""
    from nvidia.dali import fn, pipeline_def, types

    angle, shift = AUGMENTATION["rotation_range"], AUGMENTATION["height_shift_range"] * INPUT
    zoom = AUGMENTATION["zoom_range"]

    @pipeline_def(batch_size=BATCH, num_threads=_measure.cpus(), device_id=None)
    def graph():
        files, labels = fn.readers.file(
            file_root=str(images.root), files=list(images.paths), labels=images.labels.tolist(),
            random_shuffle=True, name="reader",
        )  # fmt: skip
        pixels = fn.decoders.image(files, device="cpu", output_type=types.BGR)
        pixels = fn.resize(pixels, resize_shorter=STORED, interp_type=types.INTERP_LINEAR)
        anywhere = (fn.random.uniform(range=(0, 1)), fn.random.uniform(range=(0, 1)))
        pixels = fn.crop(pixels, crop=(INPUT, INPUT), crop_pos_x=anywhere[0], crop_pos_y=anywhere[1])
        middle = INPUT / 2
        m = fn.transforms.scale(
            scale=fn.stack(
                fn.random.uniform(range=(1 - zoom, 1 + zoom)) * (fn.random.coin_flip() * 2 - 1),
                fn.random.uniform(range=(1 - zoom, 1 + zoom)),
            ),
            center=(middle, middle),
        )
        turn = fn.random.uniform(range=(-angle, angle))
        m = fn.transforms.rotation(m, angle=turn, center=(middle, middle))
        m = fn.transforms.translation(m, offset=fn.random.uniform(range=(-shift, shift), shape=[2]))
        return fn.warp_affine(pixels, matrix=m, interp_type=types.INTERP_LINEAR), labels

    def items() -> Iterator[int]:
        pipe = graph()
        pipe.build()
        while True:
            pixels, _ = pipe.run()
            yield len(pixels)

    return _measure.Stream(items(), _AHEAD)


def main() -> None:
    with _data.setup(__doc__) as where:
        if importlib.util.find_spec("nvidia") is None or importlib.util.find_spec("nvidia.dali") is None:
            _measure.skip(_QUESTION, "DALI is not installed (pip install nvidia-dali-cuda120)")
            return
        jpeg = _data.jpeg_file(where)
        if jpeg is None:
            _measure.skip(_QUESTION, "this version has no JPEG encoding")
            return
        steps = [PatchPreprocessor(INPUT, INPUT), AugmentPreprocessor(**AUGMENTATION)]
        sides = {
            "JPEG encoding, augmented, uint8": ours(jpeg, steps, "uint8"),
            "DALI, source files": pipeline(_data.photographs(where)),
        }
        _measure.report(_QUESTION, _measure.race(sides, where.rounds), *sides, bar=5)


if __name__ == "__main__":
    main()
