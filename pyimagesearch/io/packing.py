"""Packs image files into an HDF5 data set: decoding on all processors, writing behind it."""

from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.duplicates import Fingerprint, fingerprint, take_fingerprints, thumbnail
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.headerchecks import is_finished, read_channel_means
from pyimagesearch.io.imagefile import Decoding, UnreadableImageError, decode_image, is_jpeg, read_file
from pyimagesearch.io.imagefolder import ImageFolder, build_mark
from pyimagesearch.io.rowstore import EncodedRow
from pyimagesearch.utils.parallel import keep_opencv_to_one_thread, map_ahead
from pyimagesearch.utils.progress import progress

_BLOCK, _BLOCKS_AHEAD = 16, 3
_AHEAD_PER_THREAD = 32
_NAMED_IN_ERROR = 10


def pack(
    images: ImageFolder,
    writer: HDF5DatasetWriter,
    resize: Any,
    threads: int,
    label: str,
    decoding: Decoding | None = None,
    fingerprints: list[Fingerprint] | None = None,
) -> None:
    """Read all images, resize them and add them to ``writer`` in order.

    Images that the writer recovered from an earlier run are not read again. A JPEG file that has the
    right size already is stored as it is if the writer stores JPEG.

    Args:
        resize: a preprocessor that gives every image the writer's shape.
        threads: threads that decode.
        label: what the progress bar says.
        decoding: what is wanted of the images; by default any with the writer's channels.
        fingerprints: a list that gets the fingerprint of every image that is read, after resizing, in order.

    Raises:
        UnreadableImageError: an image cannot be read.
    """
    keep_opencv_to_one_thread()
    done = writer.rows_added
    decoding = decoding or Decoding(writer.dims[-1])

    def load_block(start: int) -> tuple[list[EncodedRow], list[Fingerprint]]:
        files, thumbnails, rows = [], [], []
        for path in images.paths[start : start + _BLOCK]:
            data = read_file(images.root / path)
            image = decode_image(data, images.root / path, decoding)
            row = resize.preprocess(image)
            rows.append(writer.encode(row, data if row is image and is_jpeg(data) else None))
            if fingerprints is not None:
                files.append(data)
                thumbnails.append(thumbnail(row))
        return rows, take_fingerprints(files, thumbnails) if files else []

    starts = range(done, len(images.paths), _BLOCK)
    blocks = map_ahead(load_block, starts, threads, threads * _BLOCKS_AHEAD)
    counted = progress(blocks, len(images.paths), label, _BLOCK, done)
    for (rows, prints), start in zip(counted, starts, strict=True):
        stop = start + len(rows)
        if fingerprints is not None:
            fingerprints.extend(prints)
        writer.add_encoded(rows, images.labels[start:stop], images.paths[start:stop])


class SplitBuilder:
    """Builds the files of all splits, which appear under their names together.

    Args:
        images: all images.
        rows: for each split, by its name, the numbers of its images.
        resize: a preprocessor that gives every image the same size, its ``height`` and ``width``.
        decoding: what is wanted of the images.
        encoding, quality, buf_size: as of `HDF5DatasetWriter`.
        threads: threads that decode.
        fingerprints: whether to take the fingerprint of every image.

    Attributes:
        mark: tells this build from builds of other images, splits or treatments.
        fingerprints: those of the images that were read, by their numbers.
    """

    def __init__(
        self, images: ImageFolder, rows: dict[str, np.ndarray], resize: Any, decoding: Decoding, *,
        encoding: str, quality: int, buf_size: int, threads: int, fingerprints: bool = False,
    ) -> None:  # fmt: skip
        self._images, self._decoding, self._rows = images, decoding, rows
        self.fingerprints: dict[int, Fingerprint] = {}
        self._wants_fingerprints = fingerprints
        self._splits = {name: images.subset(chosen) for name, chosen in rows.items()}
        self._shape = (resize.height, resize.width, decoding.channels)
        self._resize, self._threads = resize, threads
        stored = f", JPEG quality {quality}" if encoding == "jpeg" else ""
        history = f"{type(resize).__name__} to {'x'.join(map(str, self._shape))}{stored}"
        self.mark = build_mark(images, list(rows.values()), history)
        self._settings = {
            "encoding": encoding, "quality": quality, "buf_size": buf_size,
            "history": history, "build": self.mark,
        }  # fmt: skip

    def build(self, paths: dict[str, Path], overwrite: bool, resume: bool) -> dict[str, np.ndarray]:
        """Build the file of every split.

        On Ctrl-C the unfinished files stay, for ``resume=True``; on any other error they are removed.

        Args:
            paths: for each split, by its name, the file to make.
            overwrite: replace existing files, once the new ones are complete.
            resume: go on with what an earlier run left; files that it finished are kept.

        Returns:
            For each split the mean of each channel, float64 of shape (channels,), in [0, 255].

        Raises:
            UserError: images cannot be read, or a file cannot be written.
        """
        done = {name for name, path in paths.items() if resume and not overwrite and is_finished(path, self.mark)}
        means = {name: read_channel_means(paths[name]) for name in done}
        writers: list[HDF5DatasetWriter] = []
        try:
            for name, images in self._splits.items():
                if name in done:
                    continue
                writer = HDF5DatasetWriter(
                    (len(images.paths), *self._shape), paths[name], resume=resume,
                    overwrite=overwrite, **self._settings,
                )  # fmt: skip
                writers.append(writer)
                writer.store_class_labels(images.label_names)
                if resume:
                    writer.recover(images.labels, images.paths)
                prints: list[Fingerprint] | None = [] if self._wants_fingerprints else None
                numbers = self._rows[name][writer.rows_added :].tolist()
                pack(images, writer, self._resize, self._threads, f"Building {name}", self._decoding, prints)
                self.fingerprints.update(zip(numbers, prints or (), strict=False))
                writer.seal()
                means[name] = writer.channel_means()
            for writer in writers:
                writer.close()
        except UnreadableImageError as error:
            for writer in writers:
                writer.discard()
            raise _all_unreadable(self._images, self._threads, error, self._decoding) from error
        except KeyboardInterrupt:
            for writer in writers:
                writer.suspend()
            raise
        except BaseException:
            for writer in writers:
                writer.discard()
            raise
        return means


def scan(
    images: ImageFolder, threads: int, label: str, decoding: Decoding, resize: Any = None
) -> tuple[dict[int, Fingerprint], dict[int, str]]:
    """Decode every image once.

    Args:
        resize: a preprocessor for what fingerprints are taken of, as `pack` has one; whole images if None.

    Returns:
        The fingerprint of each image, by its row, and why it cannot be read for each one that cannot.
    """

    def look(path: str) -> Fingerprint | str:
        try:
            data = read_file(images.root / path)
            image = decode_image(data, images.root / path, decoding)
            return fingerprint(data, resize.preprocess(image) if resize else image)
        except UnreadableImageError as error:
            return error.reason

    results = map_ahead(look, images.paths, threads, threads * _AHEAD_PER_THREAD)
    prints: dict[int, Fingerprint] = {}
    reasons: dict[int, str] = {}
    for row, result in enumerate(progress(results, len(images.paths), label)):
        if isinstance(result, str):
            reasons[row] = result
        else:
            prints[row] = result
    return prints, reasons


def _all_unreadable(images: ImageFolder, threads: int, first: UnreadableImageError, decoding: Decoding) -> UserError:
    _, bad = scan(images, threads, "Looking for more unreadable images", decoding)
    if not bad:  # it could be read a moment later: somebody is changing the folder
        return first
    return unreadable_error(images, bad)


def unreadable_error(images: ImageFolder, bad: dict[int, str]) -> UserError:
    """Return the error that names images, by their rows, and why they cannot be read."""
    named = [f"{images.paths[row]} ({reason})" for row, reason in bad.items()]
    more = f" and {len(named) - _NAMED_IN_ERROR:,} more" if len(named) > _NAMED_IN_ERROR else ""
    return UserError(
        f"dataset: {len(bad):,} of {len(images.paths):,} images in {images.root} cannot be read: "
        f"{'; '.join(named[:_NAMED_IN_ERROR])}{more}; mend or remove them, or leave them out with "
        "--on-error skip"
    )
