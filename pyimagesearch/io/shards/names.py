"""The names of shards: the files of a data set that lies in several.

Shard 3 of 16 of ``train.hdf5`` is ``train-00003-of-00016.hdf5`` beside it, a data set that is complete by itself.
``train.hdf5`` then holds no rows: HDF5 maps its datasets to those of the shards, by their names alone, so that the
folder can be moved. Equal shards make an equal uniting file.
"""

import os
import re
from pathlib import Path

import h5py

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.header import open_file
from pyimagesearch.io.format.layout import utf8
from pyimagesearch.io.format.shardtable import is_united, read_table
from pyimagesearch.utils.atomic import PathLike, check_output


def shard_path(path: PathLike, index: int, count: int) -> Path:
    """Return the file of shard ``index`` of ``count``, counted from 0; of one, ``path`` itself.

    Raises:
        UserError: the name is not Unicode.
    """
    path = Path(path)
    if count > 1 and utf8(path.name) != os.fsencode(path.name):
        raise UserError(f"output: {path} must have a name in Unicode, by which HDF5 finds shards; rename it")
    return path if count == 1 else path.with_name(f"{path.stem}-{index:05d}-of-{count:05d}{path.suffix}")


def shard_paths(path: PathLike, count: int) -> list[Path]:
    """Return the files of all ``count`` shards, in order."""
    return [shard_path(path, i, count) for i in range(count)]


def shard_ranges(rows: int, count: int, multiple_of: int = 1) -> list[tuple[int, int]]:
    """Cut 0..rows - 1 into ``count`` ranges, or fewer where there are too few rows.

    Returns:
        (start, stop) of each, in order, none empty; sizes differ by at most one ``multiple_of``, larger ones
        first. Every start is a multiple of ``multiple_of``.
    """
    blocks = -(-rows // multiple_of)
    count = min(count, blocks)
    bounds = [multiple_of * (i * (blocks // count) + min(i, blocks % count)) for i in range(count)]
    return list(zip(bounds, [*bounds[1:], rows], strict=True)) if count else []


def files_of_set(path: PathLike) -> list[Path]:
    """Return the files of a data set: ``path``, and the shards that it names; none where there is no file.

    Raises:
        UserError: the file is HDF5 and damaged.
    """
    path = Path(path)
    if not path.is_file() or not h5py.is_hdf5(path):
        return [path] if path.is_file() else []
    with open_file(path) as file:
        named = read_table(file) if is_united(file) else []
    return [path, *(path.with_name(shard.file) for shard in named)]


def check_set_output(path: PathLike, count: int, overwrite: bool = False, argument: str = "output") -> None:
    """Raise a `UserError` if a data set of ``count`` shards may not be written at ``path``; see `check_output`."""
    for each in dict.fromkeys([Path(path), *shard_paths(path, count)]):
        check_output(each, overwrite, argument)


def remove_stale(path: PathLike, count: int) -> list[Path]:
    """Remove shards of ``path`` that belong to a data set of another number of shards; return their names."""
    path = Path(path)
    name = re.compile(rf"{re.escape(path.stem)}-\d{{5}}-of-(\d{{5}}){re.escape(path.suffix)}(\.partial)?")
    found = {each: name.fullmatch(each.name) for each in sorted(path.parent.iterdir())}
    stale = [each for each, match in found.items() if match and int(match[1]) != count]
    for each in stale:
        each.unlink()
    return stale


def named_shards(path: Path) -> list[Path]:
    """Return the shards that a uniting file names; none where there is no such file, or it is damaged."""
    try:
        return files_of_set(path)[1:]
    except UserError:  # no reader takes it for a data set
        return []
