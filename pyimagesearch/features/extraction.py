"""Extract the features of many images into one file, or into shards that the tasks of a cluster write."""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.building.allornothing import all_or_nothing, missing_shards, sealing
from pyimagesearch.building.scanning import check_reachable, find_culprit, reachable
from pyimagesearch.building.splitbuilder import number_of_shards
from pyimagesearch.cluster.tasks import Cluster, Work, wait_for
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.features.imagesource import ImageFiles, ImageSource, open_images
from pyimagesearch.io.format.header import Provenance
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.images.decoding import ANY_COLOUR_IMAGE
from pyimagesearch.io.images.folder import label_from_name
from pyimagesearch.io.shards.names import shard_path, shard_ranges
from pyimagesearch.utils.atomic import PathLike, partial_path
from pyimagesearch.utils.parallel import map_ahead
from pyimagesearch.utils.text import digest


@dataclass(frozen=True)
class Batch:
    """Consecutive images of an extraction.

    Attributes:
        images: the input of each network, as `FeatureExtractor.prepare` returns it.
        labels: int64 ndarray of shape (n,).
        paths: the origin of each image; None if unknown.
    """

    images: list[np.ndarray]
    labels: np.ndarray
    paths: list[str] | None


Write = Callable[[FeatureExtractor, Iterator[Batch], HDF5DatasetWriter], None]
"""Adds the features of all batches to a data set."""


class FeatureExtraction:
    """The extraction of the features of images, in any order, by the tasks of a cluster.

    Images are read, resized and prepared by threads ahead of the network::

        def write(model, batches, dataset):
            for batch in batches:
                dataset.add(model.predict(batch.images), batch.labels, batch.paths)

        FeatureExtraction(model, images, order).run(write, "features.hdf5")

    Args:
        model: the network or networks.
        images: all images.
        order: int64 ndarray of shape (n,): the indices of the images, in the order of the features.
        batch_size: images that the network sees at a time; features may depend on it in their last digits.
        shards: number of files to write; fewer if there are fewer batches. See `number_of_shards` for None.
        cluster: runs one task for each shard; this process if None.

    Attributes:
        mark: tells this extraction from those of other images or networks.
    """

    def __init__(
        self,
        model: FeatureExtractor,
        images: ImageSource,
        order: np.ndarray,
        *,
        batch_size: int = 32,
        shards: int | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self._model, self._images, self._order, self._batch_size = model, images, order, batch_size
        self._cluster = cluster or ThisProcess()
        self._ranges = shard_ranges(len(order), number_of_shards(shards, len(order), self._cluster), batch_size)
        self.mark = digest([images.identity, model.recipe, str(batch_size), *map(str, order.tolist())])

    def run(
        self, write: Write, output: PathLike, *, buf_size: int = 1000, overwrite: bool = False, resume: bool = False
    ) -> int:
        """Write the features to a file, and to shards beside it if there are several.

        Args:
            write: adds the features of some batches, of one file or shard. Tasks of a cluster call it in other
                processes: it must be a function of a module.
            output: the file.
            buf_size: rows between resume points.
            overwrite: replace existing files, once the new ones are complete.
            resume: continue an interrupted extraction with the same `mark`.

        Returns:
            The number of feature vectors that an earlier run had written.

        Raises:
            UserError: an image cannot be read, or a file cannot be written.
        """
        output = Path(output)
        missing = missing_shards(output, len(self._ranges), self.mark, overwrite, resume)
        if missing is None:
            return len(self._order)
        self._check_cluster(output)
        model, images = self._model, self._images
        provenance = Provenance(history=model.description, build=self.mark, recipe=model.recipe)
        settings = {"buf_size": buf_size, "overwrite": overwrite, "resume": resume, "provenance": provenance}
        here = not self._cluster.elsewhere
        plan = _Plan(
            write, model if here else None, model.recipe, model.features, os.path.abspath(images.path),
            images.label_names, self._batch_size, settings,
        )  # fmt: skip
        shards = [self._shard(output if here else output.absolute(), index) for index in missing]
        made = sum(len(shard.indices) for shard in shards)
        results = self._cluster.run(
            partial(extract_shard, plan), shards, label="Extracting features", total=made,
            weight=lambda shard: len(shard.indices), rescue=_find_culprit,
        )  # fmt: skip
        recovered = all_or_nothing(shards, results, {output: len(self._ranges)}, overwrite)
        return len(self._order) - made + sum(count for _, count in recovered)

    def _check_cluster(self, output: Path) -> None:
        """Raise a `UserError` unless all tasks can read the images and write the file."""
        images, files = self._images, self._model.files
        if images.folder is None:
            self._cluster.check([images.path, *files], [output.parent])
        else:
            check_reachable(images.folder, self._cluster, [output.parent], files)

    def _shard(self, output: Path, index: int) -> "_Shard":
        start, stop = self._ranges[index]
        images, indices = self._images, self._order[start:stop]
        number = (index, len(self._ranges))
        labels, paths = images.labels[indices], [images.paths[i] for i in indices] if images.paths else None
        source: ImageSource | None = images
        if self._cluster.elsewhere:
            source = None
            if isinstance(images, ImageFiles) and images.folder:  # a task gets the names of its images only
                chosen = reachable(images.folder, self._cluster).subset(indices)
                source = ImageFiles(chosen, images.path, images.decoding)
                indices = np.arange(len(indices))
        return _Shard(number, shard_path(output, *number), source, indices, labels, paths)


@dataclass(frozen=True)
class _Plan:
    """The settings that all shards share.

    Attributes:
        write: adds the features of a shard.
        model: the networks; None in other processes, which make theirs from ``recipe``.
        recipe: of the model.
        features: length of a feature vector.
        images_path: the HDF5 file of the images, for other processes.
        label_names: the classes.
        batch_size: images that the network sees at a time.
        settings: arguments of `HDF5DatasetWriter`.
    """

    write: Write
    model: FeatureExtractor | None
    recipe: str
    features: int
    images_path: str
    label_names: list[str]
    batch_size: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class _Shard:
    """A task: to write one file.

    Attributes:
        number: (index, count).
        path: the file.
        source: the images; None if the task must open the HDF5 file itself.
        indices: int64 ndarray of shape (n,): of the images in ``source``, in the order of the features.
        labels: int64 ndarray of shape (n,).
        paths: the origin of each image; None if unknown.
    """

    number: tuple[int, int]
    path: Path
    source: ImageSource | None
    indices: np.ndarray
    labels: np.ndarray
    paths: list[str] | None


def extract_shard(plan: _Plan, shard: _Shard, work: Work) -> int:
    """Write one file, and leave it sealed under its unfinished name (see `allornothing.sealing`).

    Returns:
        The number of rows that an earlier run had written.
    """
    model = plan.model or work.keep("model", lambda: FeatureExtractor.from_recipe(plan.recipe))
    source = shard.source or work.keep("images", lambda: open_images(plan.images_path, label_from_name, work.threads))
    wait_for(partial_path(shard.path), work)
    shape = (len(shard.indices), plan.features)
    writer = HDF5DatasetWriter(shape, shard.path, "features", shard=shard.number, **plan.settings)
    with sealing(writer):
        writer.store_class_labels(plan.label_names)
        done = writer.recover(shard.labels, shard.paths, plan.batch_size) if plan.settings["resume"] else 0
        with contextlib.closing(_batches(model, source, shard, plan.batch_size, writer, work)) as batches:
            plan.write(model, batches, writer)
    return done


def _batches(
    model: FeatureExtractor, source: ImageSource, shard: _Shard, size: int, writer: HDF5DatasetWriter, work: Work
) -> Generator[Batch, None, None]:
    """Yield the batches that the writer lacks, prepared ahead by threads."""

    def prepare(batch: slice) -> list[np.ndarray]:
        return model.prepare(source.read(shard.indices[batch], model.resize))

    batches = [slice(start, start + size) for start in range(writer.rows_added, len(shard.indices), size)]
    prepared = map_ahead(prepare, batches, work.threads, work.threads + 1)
    for images, batch in zip(prepared, batches, strict=True):
        yield Batch(images, shard.labels[batch], shard.paths and shard.paths[batch])
        work.report(writer.rows_added)


def _find_culprit(shard: _Shard, work: Work) -> None:
    if shard.source is not None and shard.source.folder is not None:
        find_culprit(shard.source.folder, ANY_COLOUR_IMAGE, None, work)
