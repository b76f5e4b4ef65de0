"""Build the data sets of all splits from one folder of images."""

import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.building.allornothing import all_or_nothing, missing_shards
from pyimagesearch.building.duplicates import Fingerprint
from pyimagesearch.building.packing import ImageShard, PackedShard, ShardPacker
from pyimagesearch.building.scanning import check_reachable, reachable, scan, unreadable_error
from pyimagesearch.cluster.tasks import Cluster
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.io.format.header import Provenance
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, largest_value, range_of, read_file
from pyimagesearch.io.images.folder import ImageFolder, build_mark
from pyimagesearch.io.reading.columns import read_channel_means
from pyimagesearch.io.shards.names import shard_path, shard_paths, shard_ranges

ROWS_IN_SHARD, MOST_SHARDS = 2048, 1024

_DEEP = (".png", ".tif", ".tiff")  # suffixes of images that may have 16 bits
_TRIED = 32  # of these, to find the range of their values


def number_of_shards(shards: int | None, rows: int, cluster: Cluster) -> int:
    """Return ``shards``, or a good number if None: one file in this process, one per 2,048 rows on a cluster."""
    return shards or (min(MOST_SHARDS, -(-rows // ROWS_IN_SHARD)) if cluster.elsewhere else 1)


@dataclass(frozen=True, eq=False)
class BuiltSplit:
    """The data set of one split.

    Attributes:
        path: its file.
        files: that file, and its shards if there are several.
        counts: number of images of each class.
        means: mean of each channel over all pixels, float64 of shape (channels,), in [0, 255].
    """

    path: Path
    files: list[Path]
    counts: dict[str, int]
    means: np.ndarray

    def colour_means(self) -> dict[str, float]:
        """Return the means as `MeanPreprocessor` takes them, by "R", "G" and "B"; equal ones unless there are three."""
        means = self.means.tolist() if len(self.means) == 3 else [float(self.means.mean())] * 3
        return dict(zip("RGB", reversed(means), strict=True))

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(self.counts.values())

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def shards(self) -> int:
        """Number of files that hold images."""
        return max(1, len(self.files) - 1)


class SplitBuilder:
    """Builds the data sets of all splits, which appear under their names together or not at all.

    Args:
        images: all images.
        rows: for each split, by its name, the indices of its images.
        resize: a preprocessor that gives every image the same size, its ``height`` and ``width``.
        decoding: rules for the images.
        shards: files of the largest split; smaller ones get fewer in proportion. See `number_of_shards` for None.
        cluster: runs the tasks; this process if None.
        fingerprints: whether to take the fingerprint of every image.
        encoding, quality, buf_size: see `HDF5DatasetWriter`.

    Attributes:
        mark: equal for builds of equal images, splits and treatment only.
        fingerprints: those of the images that were read, by their indices.
    """

    def __init__(
        self,
        images: ImageFolder,
        rows: Mapping[str, np.ndarray],
        resize: Any,
        decoding: Decoding,
        *,
        shards: int | None = None,
        cluster: Cluster | None = None,
        fingerprints: bool = False,
        encoding: str = "raw",
        quality: int = 90,
        buf_size: int = 1000,
    ) -> None:
        self._images, self._rows, self._resize, self._decoding = images, rows, resize, decoding
        self._cluster = cluster or ThisProcess()
        self.fingerprints: dict[int, Fingerprint] = {}
        self._take_fingerprints = fingerprints
        largest = max(map(len, rows.values()))
        shards = number_of_shards(shards, largest, self._cluster)
        self._ranges = {
            name: shard_ranges(len(chosen), max(1, round(shards * len(chosen) / largest)))
            for name, chosen in rows.items()
        }
        self._shape = (resize.height, resize.width, decoding.channels)
        stored = f", values to {decoding.max_value}" if decoding.max_value is not None else ""
        stored += f", JPEG quality {quality}" if encoding == "jpeg" else ""
        history = f"{type(resize).__name__} to {'x'.join(map(str, self._shape))}{stored}"
        self.mark = build_mark(images, list(rows.values()), history)
        provenance = Provenance(history, self.mark)
        self._writing = {"encoding": encoding, "quality": quality, "buf_size": buf_size, "provenance": provenance}

    def build(self, paths: Mapping[str, Path], overwrite: bool = False, resume: bool = False) -> dict[str, BuiltSplit]:
        """Build the data set of every split.

        On Ctrl-C, and if the cluster is lost, the unfinished files stay for ``resume=True``; on any other error they
        are removed.

        Args:
            paths: the file of each split, by its name; shards are written beside it.
            overwrite: replace existing files, once the new ones are complete.
            resume: continue an interrupted build; finished files are kept.

        Raises:
            UserError: images cannot be read, or a file cannot be written.
        """
        check_reachable(self._images, self._cluster, {path.parent for path in paths.values()})
        shards: list[ImageShard] = []
        counts: dict[Path, int] = {}
        for name, path in paths.items():
            count = len(self._ranges[name])
            missing = missing_shards(path, count, self.mark, overwrite, resume)
            if missing is not None:
                counts[path] = count
                shards += [self._shard(name, path, index) for index in missing]
        packer = ShardPacker(
            self._resize, self._decoding, self._shape, {**self._writing, "overwrite": overwrite}, resume,
            self._take_fingerprints,
        )  # fmt: skip
        try:
            for shard, packed in all_or_nothing(shards, self._run(packer, shards), counts, overwrite):
                first = shard.start + packed.recovered
                rows = self._rows[shard.split][first : first + len(packed.fingerprints)].tolist()
                self.fingerprints.update(zip(rows, packed.fingerprints, strict=True))
        except UnreadableImageError as error:
            found = scan(self._images, self._cluster, "Looking for more unreadable images", self._decoding).unreadable
            if not found:  # it was readable a moment later: the folder is changing
                raise
            raise unreadable_error(self._images, found) from error
        built = {name: self._built(name, path) for name, path in paths.items()}
        for remark in self._remarks(next(iter(built.values())).means):
            logging.getLogger(__name__).warning(remark)
        return built

    def _remarks(self, means: np.ndarray) -> list[str]:
        """Say which setting suits images that are all gray, or use little of the range of 16 bits."""
        found = []
        if len(means) == 3 and np.ptp(means) == 0:
            found.append("all images are gray: with channels=1 files are a third as large")
        if self._decoding.max_value is None:
            paths = [path for path in self._images.paths if path.lower().endswith(_DEEP)]
            tried = (self._largest(path) for path in paths[:: max(1, len(paths) // _TRIED)][:_TRIED])
            value = range_of(max(tried, default=0))
            if value:
                found.append(
                    f"16-bit images use values up to {value:,} only and become dark: max_value={value} mends it"
                )
        return found

    def _largest(self, path: str) -> int:
        try:
            return largest_value(read_file(self._images.root / path))
        except UnreadableImageError:  # gone a moment later
            return 0

    def _built(self, name: str, path: Path) -> BuiltSplit:
        files = dict.fromkeys([path, *shard_paths(path, len(self._ranges[name]))])
        counts = self._images.subset(self._rows[name]).counts
        return BuiltSplit(path, list(files), counts, read_channel_means(path))

    def _shard(self, name: str, path: Path, index: int) -> ImageShard:
        ranges = self._ranges[name]
        start, stop = ranges[index]
        place = shard_path(path.absolute() if self._cluster.elsewhere else path, index, len(ranges))
        chosen = reachable(self._images, self._cluster).subset(self._rows[name][start:stop])
        return ImageShard(name, start, (index, len(ranges)), place, chosen)

    def _run(
        self, packer: ShardPacker, shards: list[ImageShard]
    ) -> Generator[tuple[ImageShard, PackedShard], None, None]:
        if not shards:
            return
        splits = dict.fromkeys(shard.split for shard in shards)
        yield from self._cluster.run(
            packer.pack, shards, label=f"Building {', '.join(splits)}",
            total=sum(len(shard.images.paths) for shard in shards), weight=lambda shard: len(shard.images.paths),
            rescue=packer.find_culprit,
        )  # fmt: skip
