"""Packs the images of one shard: a task that any process can do."""

from pathlib import Path
from typing import Any, NamedTuple

from pyimagesearch.building.duplicates import Fingerprint, take_fingerprints, thumbnail
from pyimagesearch.building.scanning import Piece, scan_carefully
from pyimagesearch.building.sharding import sealing
from pyimagesearch.cluster.tasks import Work, wait_for
from pyimagesearch.io.encodings.row import EncodedRow
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, decode_image, is_jpeg, read_files
from pyimagesearch.io.images.folder import ImageFolder
from pyimagesearch.io.images.remotefolder import reading_threads
from pyimagesearch.utils.atomic import partial_path
from pyimagesearch.utils.parallel import map_ahead

_BLOCK, _BLOCKS_AHEAD = 16, 3


class Plan(NamedTuple):
    """How the shards of a build are made.

    Attributes:
        resize, decoding: as `packing.pack` takes them.
        shape: of an image.
        settings: arguments of `HDF5DatasetWriter`.
        fingerprints: whether to take the fingerprint of every image.
    """

    resize: Any
    decoding: Decoding
    shape: tuple[int, ...]
    settings: dict[str, Any]
    fingerprints: bool


class Shard(NamedTuple):
    """One file to be made.

    Attributes:
        split: the name of the set that it belongs to.
        start: the first of its rows in the set.
        number: (index, count).
        path: the file.
        images: its images.
    """

    split: str
    start: int
    number: tuple[int, int]
    path: Path
    images: ImageFolder


def pack_shard(plan: Plan, shard: Shard, work: Work) -> tuple[int, list[Fingerprint]]:
    """Make one file, and leave it sealed under its unfinished name (see `sharding.sealing`).

    Returns:
        How many rows an earlier run had made, and the fingerprints of the others.
    """
    prints: list[Fingerprint] | None = [] if plan.fingerprints else None
    images = shard.images
    wait_for(partial_path(shard.path), work)
    writer = HDF5DatasetWriter((len(images.paths), *plan.shape), shard.path, shard=shard.number, **plan.settings)
    with sealing(writer):
        writer.store_class_labels(images.label_names)
        done = writer.recover(images.labels, images.paths) if plan.settings["resume"] else 0
        pack_rows(images, writer, plan.resize, work, plan.decoding, prints)
    return done, prints or []


def find_culprit(plan: Plan, shard: Shard, work: Work) -> None:
    """Look for an image of a shard that ends the process which decodes it.

    Raises:
        UnreadableImageError: there it is, or another one that cannot be read.
    """
    looks = scan_carefully(plan.decoding, plan.resize, Piece(0, shard.images), work)
    for path, look in zip(shard.images.paths, looks, strict=True):
        if isinstance(look, str):
            raise UnreadableImageError(shard.images.root / path, look)


def pack_rows(
    images: ImageFolder,
    writer: HDF5DatasetWriter,
    resize: Any,
    work: Work,
    decoding: Decoding,
    fingerprints: list[Fingerprint] | None,
) -> None:
    """Add images to ``writer``, as `packing.pack` does, and report how many rows there are, block by block."""
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
    for (rows, prints), start in zip(blocks, starts, strict=True):
        stop = start + len(rows)
        if fingerprints is not None:
            fingerprints.extend(prints)
        writer.add_encoded(rows, images.labels[start:stop], images.paths[start:stop])
        work.report(stop)
