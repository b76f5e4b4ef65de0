"""Is packing a folder faster than the chapter's script, smaller, and as fast as decoding alone?

Every build makes a new file. What decoding alone means: OpenCV reads the file, scales it to cover the
square, and cuts; ours cuts first and scales only what stays, so that a share above 1 is possible.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from pyimagesearch.io.images.folder import ImageFolder

from . import _data, _measure, book

_CHAPTER_COUNT, _COUNT = 1200, 2400
_BLOCK = 16


def build(images: ImageFolder, output: Path) -> _measure.Stream:
    """Return our whole build, the final fsync included."""

    def work() -> int:
        _data.pack_images(images, output)
        return len(images.paths)

    return _measure.repeat(work, lambda: output.unlink(missing_ok=True))


def build_by_book(images: ImageFolder, output: Path) -> _measure.Stream:
    """Return the chapter's whole build."""

    def work() -> int:
        book.build(images.root, images.paths, images.labels.tolist(), output, _data.STORED)
        return len(images.paths)

    return _measure.repeat(work, lambda: output.unlink(missing_ok=True))


def decode(images: ImageFolder) -> _measure.Stream:
    """Return decoding and resizing on all processors; the pixels are dropped."""
    side, pool = _data.STORED, ThreadPoolExecutor(_measure.cpus())
    blocks = [images.paths[i : i + _BLOCK] for i in range(0, len(images.paths), _BLOCK)]

    def read(paths: list[str]) -> None:
        for path in paths:
            image = cv2.imread(str(images.root / path))
            scale = side / min(image.shape[:2])
            height, width = (round(length * scale) for length in image.shape[:2])
            covering = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            top, left = (height - side) // 2, (width - side) // 2
            covering[top : top + side, left : left + side]

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
