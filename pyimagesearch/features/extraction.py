"""Extracts the features of one shard: a task that any process can do."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.building.scanning import Piece, check_reachable, reachable, scan_carefully
from pyimagesearch.building.sharding import made_together, missing_shards, sealing
from pyimagesearch.cluster.tasks import Cluster, Work, wait_for
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.features.imagesource import ImageSource, open_images, read_rows
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.images.decoding import ANY_COLOUR_IMAGE, UnreadableImageError
from pyimagesearch.io.images.folder import ImageFolder, label_from_name
from pyimagesearch.io.shards.names import shard_path, shard_ranges
from pyimagesearch.utils.atomic import partial_path
from pyimagesearch.utils.parallel import keep_opencv_to_one_thread, map_ahead


class Extraction(NamedTuple):
    """What all shards have in common.

    Attributes:
        extractor: that of this process; None in other processes, which make theirs by ``recipe``.
        source: the images, likewise; None in other processes, which open ``hdf5`` or are told their files.
        recipe: of the extractor.
        hdf5: the file that holds the images, or "" where each has a file of its own.
        features: length of a feature vector.
        label_names: the classes.
        batch_size: images that the network sees at a time.
        settings: arguments of `HDF5DatasetWriter`.
    """

    extractor: FeatureExtractor | None
    source: ImageSource | None
    recipe: str
    hdf5: str
    features: int
    label_names: list[str]
    batch_size: int
    settings: dict[str, Any]


class FeatureShard(NamedTuple):
    """One file to be made.

    Attributes:
        number: (index, count).
        path: the file.
        rows: int64 ndarray of shape (n,): numbers of its images, in order.
        labels: int64 ndarray of shape (n,).
        paths: where they came from, or None where nobody knows.
        images: the files of its images, for other processes.
    """

    number: tuple[int, int]
    path: Path
    rows: np.ndarray
    labels: np.ndarray
    paths: list[str] | None
    images: ImageFolder | None


def extract_shard(extraction: Extraction, shard: FeatureShard, work: Work) -> int:
    """Make one file, and leave it sealed under its unfinished name (see `sharding.sealing`).

    Returns:
        How many rows an earlier run had made.
    """
    keep_opencv_to_one_thread()
    extractor = extraction.extractor or work.keep("extractor", lambda: FeatureExtractor.from_recipe(extraction.recipe))
    source = extraction.source
    if source is None and extraction.hdf5:
        source = work.keep("images", lambda: open_images(extraction.hdf5, label_from_name, work.threads))

    def prepare(batch: slice) -> list[np.ndarray]:
        if source is not None:
            return extractor.prepare(source.read(shard.rows[batch], extractor.resize))
        assert shard.images is not None
        return extractor.prepare(read_rows(shard.images, np.arange(len(shard.rows))[batch], extractor.resize))

    wait_for(partial_path(shard.path), work)
    shape, size = (len(shard.rows), extraction.features), extraction.batch_size
    writer = HDF5DatasetWriter(shape, shard.path, "features", shard=shard.number, **extraction.settings)
    with sealing(writer):
        writer.store_class_labels(extraction.label_names)
        done = writer.recover(shard.labels, shard.paths, size) if extraction.settings["resume"] else 0
        batches = [slice(start, start + size) for start in range(done, len(shard.rows), size)]
        prepared = map_ahead(prepare, batches, work.threads, work.threads + 1)
        for inputs, batch in zip(prepared, batches, strict=True):
            writer.add(extractor.extract(inputs), shard.labels[batch], shard.paths and shard.paths[batch])
            work.report(writer.rows_added)
    return done


def find_culprit(shard: FeatureShard, work: Work) -> None:
    """Look for an image of a shard that ends the process which decodes it.

    Raises:
        UnreadableImageError: there it is, or another one that cannot be read.
    """
    if shard.images is None:
        return
    looks = scan_carefully(ANY_COLOUR_IMAGE, None, Piece(0, shard.images), work)
    for path, look in zip(shard.images.paths, looks, strict=True):
        if isinstance(look, str):
            raise UnreadableImageError(shard.images.root / path, look)


def extract_together(
    cluster: Cluster,
    images: ImageSource,
    order: np.ndarray,
    extractor: FeatureExtractor,
    output: Path,
    dataset: str,
    *,
    shards: int,
    batch_size: int,
    networks: Sequence[str] = (),
    overwrite: bool = False,
    resume: bool = False,
    **settings: Any,
) -> int:
    """Write the features of images in any order to one file, or to shards of whole batches.

    Args:
        cluster: what makes them.
        order: int64 ndarray of shape (n,): the numbers of the images, in the order of the features.
        output: the file to make; shards come to lie beside it.
        dataset: where ``images`` come from.
        shards: how many there are to be; fewer if there are not so many batches.
        batch_size: images that the network sees at a time; its features may depend on that in their last digits.
        networks: files that the extractor was loaded from.
        overwrite, resume, settings: arguments of `HDF5DatasetWriter`, with ``build``.

    Returns:
        How many feature vectors an earlier run had made.

    Raises:
        UserError: an image cannot be read, or a file cannot be written.
    """
    ranges = shard_ranges(len(order), shards, batch_size)
    missing = missing_shards(output, len(ranges), settings["build"], overwrite, resume)
    if missing is None:
        return len(order)
    here = not cluster.elsewhere
    if images.folder is None:
        cluster.check([dataset, *networks], [output.parent])
    else:
        check_reachable(images.folder, cluster, [output.parent], networks)
    extraction = Extraction(
        extractor if here else None, images if here else None, extractor.recipe,
        os.path.abspath(dataset) if images.folder is None else "", extractor.features, images.label_names, batch_size,
        {
            **settings, "overwrite": overwrite, "resume": resume, "history": extractor.description,
            "recipe": extractor.recipe,
        },
    )  # fmt: skip
    tasks = []
    for index in missing:
        start, stop = ranges[index]
        rows, number = order[start:stop], (index, len(ranges))
        path = shard_path(output if here else output.absolute(), *number)
        files = None if here or images.folder is None else reachable(images.folder, cluster).subset(rows)
        names = [images.paths[row] for row in rows] if images.paths else None
        tasks.append(FeatureShard(number, path, rows, images.labels[rows], names, files))
    run = cluster.run(
        partial(extract_shard, extraction), tasks, label="Extracting features",
        total=sum(len(task.rows) for task in tasks), weight=lambda task: len(task.rows), rescue=find_culprit,
    )  # fmt: skip
    made = sum(len(task.rows) for task in tasks)
    return len(order) - made + sum(done for _, done in made_together(tasks, run, {output: len(ranges)}, overwrite))
