"""Packs image files into HDF5 data sets: decoding on all processors, writing behind it, shard by shard."""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.building.duplicates import Fingerprint
from pyimagesearch.building.scanning import reachable, scan, unreadable_error
from pyimagesearch.building.sharding import made_together, missing_shards
from pyimagesearch.building.shardpacking import Plan, Shard, find_culprit, pack_rows, pack_shard
from pyimagesearch.cluster.tasks import Cluster, Keeper, Work
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError
from pyimagesearch.io.images.folder import ImageFolder, build_mark
from pyimagesearch.io.reading.columns import read_channel_means
from pyimagesearch.io.shards.names import shard_path, shard_ranges
from pyimagesearch.utils.progress import Meter


def pack(
    images: ImageFolder,
    writer: HDF5DatasetWriter,
    resize: Any,
    threads: int,
    label: str,
    decoding: Decoding | None = None,
    fingerprints: list[Fingerprint] | None = None,
) -> None:
    """Read all images, resize them and add them to ``writer`` in order, and show progress.

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
    decoding = decoding or Decoding(writer.dims[-1])
    with Meter(len(images.paths), label) as meter:
        pack_rows(images, writer, resize, Work(threads, meter.show, Keeper().keep), decoding, fingerprints)


class SplitBuilder:
    """Builds the data sets of all splits, which appear under their names together.

    Args:
        images: all images.
        rows: for each split, by its name, the numbers of its images.
        resize: a preprocessor that gives every image the same size, its ``height`` and ``width``.
        decoding: what is wanted of the images.
        encoding, quality, buf_size: as of `HDF5DatasetWriter`.
        threads: threads that decode, where no cluster is given.
        fingerprints: whether to take the fingerprint of every image.
        shards: files of the largest set (see `io.shards`); smaller ones get fewer in proportion.
        cluster: what makes them; this process if None.

    Attributes:
        mark: tells this build from builds of other images, splits or treatments.
        fingerprints: those of the images that were read, by their numbers.
    """

    def __init__(
        self, images: ImageFolder, rows: dict[str, np.ndarray], resize: Any, decoding: Decoding, *,
        encoding: str, quality: int, buf_size: int, threads: int | None = None, fingerprints: bool = False,
        shards: int = 1, cluster: Cluster | None = None,
    ) -> None:  # fmt: skip
        self._images, self._decoding, self._rows = images, decoding, rows
        self._cluster = cluster or ThisProcess(threads)
        self.fingerprints: dict[int, Fingerprint] = {}
        self._wants_fingerprints = fingerprints
        largest = max(map(len, rows.values()))
        self._ranges = {
            name: shard_ranges(len(chosen), max(1, round(shards * len(chosen) / largest)))
            for name, chosen in rows.items()
        }
        self._shape = (resize.height, resize.width, decoding.channels)
        self._resize = resize
        stored = f", JPEG quality {quality}" if encoding == "jpeg" else ""
        history = f"{type(resize).__name__} to {'x'.join(map(str, self._shape))}{stored}"
        self.mark = build_mark(images, list(rows.values()), history)
        self._settings = {
            "encoding": encoding, "quality": quality, "buf_size": buf_size,
            "history": history, "build": self.mark,
        }  # fmt: skip

    def build(self, paths: dict[str, Path], overwrite: bool, resume: bool) -> dict[str, np.ndarray]:
        """Build the data set of every split.

        On Ctrl-C, and where the cluster is lost, the unfinished files stay, for ``resume=True``; on any other error
        they are removed.

        Args:
            paths: for each split, by its name, the file to make; shards come to lie beside it.
            overwrite: replace existing files, once the new ones are complete.
            resume: go on with what an earlier run left; files that it finished are kept.

        Returns:
            For each split the mean of each channel, float64 of shape (channels,), in [0, 255].

        Raises:
            UserError: images cannot be read, or a file cannot be written.
        """
        shards: list[Shard] = []
        sets: dict[Path, int] = {}
        for name, path in paths.items():
            count = len(self._ranges[name])
            missing = missing_shards(path, count, self.mark, overwrite, resume)
            if missing is not None:
                sets[path] = count
                shards += [self._shard(name, path, index) for index in missing]
        try:
            for shard, (recovered, prints) in made_together(
                shards, self._run(shards, overwrite, resume), sets, overwrite
            ):
                first = shard.start + recovered
                numbers = self._rows[shard.split][first : first + len(prints)].tolist()
                self.fingerprints.update(zip(numbers, prints, strict=True))
        except UnreadableImageError as error:
            _, bad = scan(self._images, self._cluster, "Looking for more unreadable images", self._decoding)
            if not bad:  # it could be read a moment later: somebody is changing the folder
                raise
            raise unreadable_error(self._images, bad) from error
        return {name: read_channel_means(path) for name, path in paths.items()}

    def _shard(self, name: str, path: Path, index: int) -> Shard:
        """Return a shard of a split whose plain name is ``path``."""
        ranges = self._ranges[name]
        start, stop = ranges[index]
        place = shard_path(path.absolute() if self._cluster.elsewhere else path, index, len(ranges))
        chosen = reachable(self._images, self._cluster).subset(self._rows[name][start:stop])
        return Shard(name, start, (index, len(ranges)), place, chosen)

    def _run(self, shards: list[Shard], overwrite: bool, resume: bool) -> Generator[tuple[Shard, Any], None, None]:
        if not shards:
            return
        settings = {**self._settings, "overwrite": overwrite, "resume": resume}
        plan = Plan(self._resize, self._decoding, self._shape, settings, self._wants_fingerprints)
        yield from self._cluster.run(
            partial(pack_shard, plan), shards, label=f"Building {', '.join(dict.fromkeys(s.split for s in shards))}",
            total=sum(len(shard.images.paths) for shard in shards), weight=lambda shard: len(shard.images.paths),
            rescue=partial(find_culprit, plan),
        )  # fmt: skip
