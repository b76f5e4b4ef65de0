"""Pack images into a data file: read, decode, preprocess and write each, on all processors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyimagesearch.building.allornothing import sealing
from pyimagesearch.building.duplicates import Fingerprint, take_fingerprints, thumbnail
from pyimagesearch.building.scanning import find_culprit
from pyimagesearch.cluster.tasks import Work, wait_for
from pyimagesearch.io.encodings.row import EncodedRow
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.images.decoding import Decoding, decode_image, is_jpeg, read_files
from pyimagesearch.io.images.folder import ImageFolder
from pyimagesearch.io.images.remotefolder import reading_threads
from pyimagesearch.utils.atomic import partial_path
from pyimagesearch.utils.parallel import OneOpenCVThread, map_ahead

_BLOCK, _BLOCKS_AHEAD = 16, 3


def pack(
    images: ImageFolder,
    writer: HDF5DatasetWriter,
    resize: Any,
    decoding: Decoding | None = None,
    work: Work | None = None,
    fingerprints: list[Fingerprint] | None = None,
) -> None:
    """Add images to ``writer`` in order, starting after the rows that it has recovered from an earlier run.

    A JPEG file that has the right size already is stored unchanged if the writer stores JPEG.

    Args:
        resize: a preprocessor that gives every image the writer's shape.
        decoding: rules for the images; by default any with the writer's channels.
        work: threads to use, and where to report the number of rows; all processors by default.
        fingerprints: a list that receives the fingerprint of every added image, taken after ``resize``.

    Raises:
        UnreadableImageError: an image cannot be read.
    """
    decoding = decoding or Decoding(writer.dims[-1])
    work = work or Work()
    threads = reading_threads(images.root, work.threads)

    def load_block(start: int) -> tuple[list[EncodedRow], list[Fingerprint]]:
        files, thumbnails, rows = [], [], []
        paths = [images.root / path for path in images.paths[start : start + _BLOCK]]
        for path, data in zip(paths, read_files(paths), strict=True):
            image = decode_image(data, path, decoding)
            row = resize.preprocess(image)
            rows.append(writer.encode(row, data if row is image and is_jpeg(data) else None))
            if fingerprints is not None:
                files.append(data)
                thumbnails.append(thumbnail(row))
        return rows, take_fingerprints(files, thumbnails) if files else []

    starts = range(writer.rows_added, len(images.paths), _BLOCK)
    blocks = map_ahead(load_block, starts, threads, threads * _BLOCKS_AHEAD)
    with OneOpenCVThread():
        for (rows, found), start in zip(blocks, starts, strict=True):
            stop = start + len(rows)
            if fingerprints is not None:
                fingerprints.extend(found)
            writer.add_encoded(rows, images.labels[start:stop], images.paths[start:stop])
            work.report(stop)


@dataclass(frozen=True, eq=False)
class ImageShard:
    """A data file to build.

    Attributes:
        split: name of its split.
        start: index of its first row in the split.
        number: (index, count) of the shard.
        path: the file.
        images: its images.
    """

    split: str
    start: int
    number: tuple[int, int]
    path: Path
    images: ImageFolder


@dataclass(frozen=True, eq=False)
class PackedShard:
    """The result of a task that packs an `ImageShard`.

    Attributes:
        recovered: rows that an earlier run had packed.
        fingerprints: those of the other rows, in order, or empty.
    """

    recovered: int
    fingerprints: list[Fingerprint]


@dataclass(frozen=True, eq=False)
class ShardPacker:
    """Packs shards, in any process.

    Attributes:
        resize: a preprocessor that gives every image the same size.
        decoding: rules for the images.
        shape: of a row.
        writing: options of `HDF5DatasetWriter`.
        resume: continue with the rows that an earlier run packed.
        take_fingerprints: whether to take the fingerprint of every image.
    """

    resize: Any
    decoding: Decoding
    shape: tuple[int, int, int]
    writing: dict[str, Any]
    resume: bool
    take_fingerprints: bool

    def pack(self, shard: ImageShard, work: Work) -> PackedShard:
        """Pack one shard, and leave it sealed under its unfinished name (see `allornothing.sealing`)."""
        images = shard.images
        fingerprints: list[Fingerprint] | None = [] if self.take_fingerprints else None
        wait_for(partial_path(shard.path), work)
        writer = HDF5DatasetWriter(
            (len(images.paths), *self.shape), shard.path, shard=shard.number, resume=self.resume, **self.writing
        )
        with sealing(writer):
            writer.store_class_labels(images.label_names)
            recovered = writer.recover(images.labels, images.paths) if self.resume else 0
            pack(images, writer, self.resize, self.decoding, work, fingerprints)
        return PackedShard(recovered, fingerprints or [])

    def find_culprit(self, shard: ImageShard, work: Work) -> None:
        """Find the image of a shard that crashes the process; see `scanning.find_culprit`."""
        find_culprit(shard.images, self.decoding, self.resize, work)
