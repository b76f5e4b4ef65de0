"""Unite shards: write the small file over them, and give all of them their names at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pyimagesearch.io.format.dataset import check_alike, check_shard, check_there, compare, header_of
from pyimagesearch.io.format.header import Header, metadata_checksum, open_file
from pyimagesearch.io.format.layout import COLUMNS, allocate, write_strings
from pyimagesearch.io.format.shardtable import ShardEntry, identity, write_table
from pyimagesearch.io.format.untrusted import damage_reported, damaged, open_dataset, read_dataset
from pyimagesearch.io.shards.names import named_shards, remove_stale, shard_paths
from pyimagesearch.io.writing.unfinished import open_structure
from pyimagesearch.utils.atomic import PathLike, check_output, partial_path, publish, replacing

_OF_ONE_FILE = {"shard", "checksum", "complete"}
_MISSING = {"i": -1, "f": np.nan}
"""Value of the rows of a missing shard for readers without this package, by the kind of number; else 0."""


@dataclass(frozen=True)
class ValidShard:
    """A shard whose header was read and validated.

    Attributes:
        header: its header.
        identity: its two checksums.
        attributes: the attributes that all shards share.
        columns: shape and dtype of each dataset that is to be mapped.
    """

    header: Header
    identity: tuple[int, int]
    attributes: dict[str, Any]
    columns: dict[str, tuple[tuple[int, ...], np.dtype]]


def read_shards(united: Path, paths: Sequence[Path]) -> list[ValidShard]:
    """Return the shards whose files lie at ``paths``, once they make one data set.

    Raises:
        UserError: a shard is missing, unfinished, damaged, of another index by its own word, or of another build.
    """
    shards = [_read_shard(united, path, index, len(paths)) for index, path in enumerate(paths)]
    first = shards[0]
    check_alike([shard.header for shard in shards])
    for shard in shards[1:]:
        for name in sorted(first.attributes.keys() | shard.attributes.keys()):
            compare(first.header, shard.header, name, first.attributes.get(name), shard.attributes.get(name))
        compare(first.header, shard.header, "list of datasets", sorted(first.columns), sorted(shard.columns))
    return shards


def _read_shard(united: Path, path: Path, index: int, count: int) -> ValidShard:
    check_there(united, path, index, count)
    with open_file(path) as file:
        header = header_of(file)
        if count > 1:
            check_shard(file, index, count)
        datasets = {name: open_dataset(file, name) for name in COLUMNS}
        with damage_reported(path):
            attributes = {
                name: np.asarray(value).tolist() for name, value in file.attrs.items() if name not in _OF_ONE_FILE
            }
        columns = {name: (each.shape, each.dtype) for name, each in datasets.items() if each is not None}
        return ValidShard(header, identity(file), attributes, columns)


def write_united(path: Path, finals: Sequence[Path], shards: Sequence[ValidShard]) -> None:
    """Write the file that unites ``shards``, which have the names ``finals``."""
    first = shards[0]
    with replacing(path) as temporary, open_structure(temporary, "w") as file:
        file.attrs.update(dict(sorted((first.attributes | {"complete": 1}).items())))
        write_table(
            file,
            [
                ShardEntry(final.name, shard.header.shape[0], *shard.identity)
                for final, shard in zip(finals, shards, strict=True)
            ],
        )
        for name in first.columns:
            _map(file, name, [final.name for final in finals], [shard.columns[name] for shard in shards])
        if first.header.encoding == "jpeg":
            _write_ends(file, finals, shards)
        if first.header.label_names:
            write_strings(file, "label_names", first.header.label_names)
        file.attrs["checksum"] = metadata_checksum(file)


def _map(file: h5py.File, name: str, files: Sequence[str], columns: Sequence[tuple[tuple[int, ...], np.dtype]]) -> None:
    """Make the dataset ``name`` of all rows; of strings it has the greatest length."""
    _, dtype = max(columns, key=lambda column: column[1].itemsize)
    rows, rest = [shape[0] for shape, _ in columns], columns[0][0][1:]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    if dtype.kind in _MISSING:
        properties.set_fill_value(np.array(_MISSING[dtype.kind], dtype))
    start = 0
    whole = h5py.h5s.create_simple((sum(rows), *rest))
    for source, count in zip(files, rows, strict=True):
        whole.select_hyperslab((start, *(0 for _ in rest)), (count, *rest))
        shard = h5py.h5s.create_simple((count, *rest))
        properties.set_virtual(whole, source.replace("%", "%%").encode(), name.encode(), shard)
        start += count
    whole.select_all()
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), whole, dcpl=properties)


def _write_ends(file: h5py.File, finals: Sequence[Path], shards: Sequence[ValidShard]) -> None:
    """Store where each image ends among the consecutive images of all shards."""
    allocate(file, "jpeg_ends", (sum(shard.header.shape[0] for shard in shards),), np.uint64)
    row, end = 0, 0
    for final, shard in zip(finals, shards, strict=True):
        with open_file(final) as source:
            ends = read_dataset(source, "jpeg_ends")
        if ends is None or not len(ends) or ends[-1] != shard.columns["jpeg"][0][0]:
            raise damaged(final, "its JPEG images end elsewhere than it says")
        file["jpeg_ends"][row : row + len(ends)] = ends + np.uint64(end)
        row, end = row + len(ends), end + int(ends[-1])


def unite(path: PathLike, count: int, overwrite: bool = False) -> None:
    """Write the small file ``path`` over its ``count`` complete shards, atomically; a single file needs none.

    Raises:
        UserError: a shard is missing, unfinished or damaged, has another index by its own word, or comes from another
            build; or ``path`` exists.
    """
    if count > 1:
        check_output(path, overwrite)
        finals = shard_paths(path, count)
        write_united(Path(path), finals, read_shards(Path(path), finals))


def publish_set(path: PathLike, count: int, overwrite: bool = False) -> None:
    """Give the sealed shards of a data set their final names, unite them, and remove what they replace.

    Each shard is sealed under its unfinished name (see `HDF5DatasetWriter.seal`) or has its final one already. All
    are validated before anything is renamed. A run that is killed in between leaves no file under the plain name, or
    the whole earlier data set if that has another number of shards; calling this again finishes the work.

    Args:
        overwrite: replace an earlier data set, of any number of shards.

    Raises:
        UserError: as of `unite`; no name was changed then.
    """
    path, finals = Path(path), shard_paths(path, count)
    waiting = [final for final in finals if partial_path(final).is_file()]
    for final in dict.fromkeys([*waiting, path] if waiting or count > 1 else []):
        check_output(final, overwrite)
    shards = read_shards(path, [partial_path(final) if final in waiting else final for final in finals])
    if count > 1 and not set(waiting).isdisjoint(named_shards(path)):
        path.unlink()  # it would name a mixture of old and new shards
    for final in waiting:
        publish(partial_path(final), final)
    if count > 1:
        write_united(path, finals, shards)
    if overwrite:
        remove_stale(path, count)
