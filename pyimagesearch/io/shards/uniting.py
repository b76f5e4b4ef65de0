"""Unite shards: the small file over them, and the moment when all get their names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import COLUMNS, check_alike, check_shard, check_there, compare, header_of
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.layout import allocate, metadata_checksum, write_strings
from pyimagesearch.io.format.shardtable import Shard, identity, write_table
from pyimagesearch.io.format.untrusted import damage_reported, open_dataset
from pyimagesearch.io.shards.names import _named_shards, remove_stale, shard_paths
from pyimagesearch.io.writing.structure import open_structure
from pyimagesearch.utils.atomic import PathLike, check_output, partial_path, publish, replacing

_OF_ONE_FILE = {"shard", "checksum"}


_MISSING = {"i": -1, "f": np.nan}
"""What a reader that knows nothing of shards finds where one is missing, by the kind of number; else 0."""


class Part(NamedTuple):
    """A shard that was checked.

    Attributes:
        header: its header.
        identity: its two checksums.
        attributes: its attributes that all shards share.
        columns: shape and dtype of each dataset that is to be mapped.
    """

    header: Header
    identity: tuple[int, int]
    attributes: dict[str, Any]
    columns: dict[str, tuple[tuple[int, ...], np.dtype]]


def check_set(united: Path, paths: Sequence[Path]) -> list[Part]:
    """Return the shards whose files lie at ``paths``, once they make one data set.

    Raises:
        UserError: a shard is missing, unfinished, damaged, another one by its own word, or of another build.
    """
    parts = [_read_part(united, path, number, len(paths)) for number, path in enumerate(paths)]
    first = parts[0]
    check_alike([part.header for part in parts])
    for part in parts[1:]:
        for name in sorted(first.attributes.keys() | part.attributes.keys()):
            compare(first.header, part.header, name, first.attributes.get(name), part.attributes.get(name))
        compare(first.header, part.header, "list of datasets", sorted(first.columns), sorted(part.columns))
    return parts


def _read_part(united: Path, path: Path, number: int, count: int) -> Part:
    check_there(united, path, number, count)
    with open_file(path) as file, damage_reported(path):
        header = header_of(file)
        if count > 1:
            check_shard(file, number, count)
        datasets = {name: open_dataset(file, name) for name in COLUMNS}
        return Part(
            header,
            identity(file),
            {name: np.asarray(value).tolist() for name, value in file.attrs.items() if name not in _OF_ONE_FILE},
            {name: (each.shape, each.dtype) for name, each in datasets.items() if each is not None},
        )


def write_united(path: Path, finals: Sequence[Path], parts: Sequence[Part]) -> None:
    """Write the file that unites ``parts``, which have the names ``finals``."""
    first = parts[0]
    with replacing(path) as temporary, open_structure(temporary, "w") as file:
        file.attrs.update(dict(sorted(first.attributes.items())))
        write_table(
            file,
            [
                Shard(final.name, part.header.shape[0], *part.identity)
                for final, part in zip(finals, parts, strict=True)
            ],
        )
        for name in first.columns:
            _map(file, name, [final.name for final in finals], [part.columns[name] for part in parts])
        if first.header.encoding == "jpeg":
            _write_ends(file, finals, parts)
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
        part = h5py.h5s.create_simple((count, *rest))
        properties.set_virtual(whole, source.replace("%", "%%").encode(), name.encode(), part)
        start += count
    whole.select_all()
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), whole, dcpl=properties)


def _write_ends(file: h5py.File, finals: Sequence[Path], parts: Sequence[Part]) -> None:
    """Store where each image ends in all shards' images, one behind the other."""
    allocate(file, "jpeg_ends", (sum(part.header.shape[0] for part in parts),), np.uint64)
    row, end = 0, 0
    for final, part in zip(finals, parts, strict=True):
        with open_file(final) as shard, damage_reported(final):
            ends = shard["jpeg_ends"][:]
        if ends[-1] != part.columns["jpeg"][0][0]:
            raise UserError(f"data set: {final} has JPEG images that end elsewhere than it says; build it again")
        file["jpeg_ends"][row : row + len(ends)] = ends + np.uint64(end)
        row, end = row + len(ends), end + int(ends[-1])


def unite(path: PathLike, count: int, overwrite: bool = False) -> None:
    """Write the small file ``path`` over its ``count`` complete shards, atomically. A single file unites itself.

    Raises:
        UserError: a shard is missing, unfinished or damaged, is another one by its own word, or comes from another
            build; or ``path`` exists.
    """
    if count > 1:
        check_output(path, overwrite)
        finals = shard_paths(path, count)
        write_united(Path(path), finals, check_set(Path(path), finals))


def publish_set(path: PathLike, count: int, overwrite: bool = False) -> None:
    """Give the sealed shards of a set their final names, unite them, and remove what they replace.

    Each shard is sealed under its unfinished name (see `HDF5DatasetWriter.seal`) or has its final one already. All
    are checked before anything is renamed. A run that is killed in between leaves no file under the plain name, or
    the whole earlier set if that has another number of shards; calling this again finishes the work.

    Args:
        overwrite: replace an earlier set, of any number of shards.

    Raises:
        UserError: as of `unite`; no name was changed then.
    """
    path, finals = Path(path), shard_paths(path, count)
    waiting = [final for final in finals if partial_path(final).is_file()]
    for final in dict.fromkeys([*waiting, path] if waiting or count > 1 else []):
        check_output(final, overwrite)
    parts = check_set(path, [partial_path(final) if final in waiting else final for final in finals])
    if count > 1 and not set(waiting).isdisjoint(_named_shards(path)):
        path.unlink()  # it would name a mixture of old and new shards
    for final in waiting:
        publish(partial_path(final), final)
    if count > 1:
        write_united(path, finals, parts)
    if overwrite:
        remove_stale(path, count)
