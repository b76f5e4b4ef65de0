"""Is packing a folder faster than the chapter's script, smaller, and as fast as decoding alone?"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from pyimagesearch.io.imagefolder import ImageFolder
from pyimagesearch.preprocessing import AspectAwarePreprocessor

from . import _data, _measure, book

_CHAPTER_COUNT, _COUNT = 600, 2400
_BLOCK = 16


def build(images: ImageFolder, output: Path) -> _measure.Stream:
    """Return our whole build, the final fsync included."""

    def work() -> int:
        _data.pack_images(images, output)
        return len(images.paths)

    return _measure.repeat(work)


def build_by_book(images: ImageFolder, output: Path) -> _measure.Stream:
    """Return the chapter's whole build."""

    def work() -> int:
        book.build(images.root, images.paths, images.labels.tolist(), output, _data.STORED)
        return len(images.paths)

    return _measure.repeat(work)


def decode(images: ImageFolder) -> _measure.Stream:
    """Return decoding and resizing on all processors; the pixels are dropped."""
    resize, pool = AspectAwarePreprocessor(_data.STORED, _data.STORED), ThreadPoolExecutor(_measure.cpus())
    blocks = [images.paths[i : i + _BLOCK] for i in range(0, len(images.paths), _BLOCK)]

    def read(paths: list[str]) -> None:
        for path in paths:
            resize.preprocess(cv2.imread(str(images.root / path)))

    def work() -> int:
        list(pool.map(read, blocks))
        return len(images.paths)

    return _measure.repeat(work)


def main() -> None:
    with _data.setup(__doc__) as where:
        theirs, ours, rounds = where.work / "book.hdf5", where.work / "ours.hdf5", min(where.rounds, 5)
        some = _data.photographs(where, _CHAPTER_COUNT)
        sides = {"build": build(some, ours), "chapter's build": build_by_book(some, theirs)}
        _measure.report("build: speed", _measure.race(sides, rounds, seconds=0), *sides, bar=4)
        share = ours.stat().st_size / theirs.stat().st_size
        _measure.report_value("build: bytes of the file", "build", [share], "of the chapter's bytes", at_most=1 / 7)
        theirs.unlink()

        many = _data.photographs(where, _COUNT)
        sides = {"build": build(many, ours), "decode and resize only": decode(many)}
        speeds = _measure.race(sides, rounds, seconds=0)
        _measure.report("build: share of bare decoding", speeds, *sides, bar=0.9)
        ours.unlink()
        _jpeg_bytes(where)


def _jpeg_bytes(where: _data.Setup) -> None:
    question = "JPEG encoding: bytes of the file"
    jpeg = _data.jpeg_file(where)
    if jpeg is None:
        _measure.skip(question, "this version has no JPEG encoding")
        return
    share = jpeg.stat().st_size / _data.raw_file(where).stat().st_size
    _measure.report_value(question, "JPEG encoding, quality 90", [share], "of raw bytes", at_most=1 / 8)


if __name__ == "__main__":
    main()
