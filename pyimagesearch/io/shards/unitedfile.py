"""Reads the header of a file that unites shards, once each of them is what it was when they were united."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.fileformat import KEYS, Header, header_of, open_file, read_strings
from pyimagesearch.io.shards.table import Shard, identity, read_table
from pyimagesearch.io.untrusted import damage_reported, open_dataset, read_text

COLUMNS = (*KEYS, "jpeg", "labels", "paths", "checksums", "channel_sums")
"""The datasets that a uniting file may map to those of its shards."""
_MEND = "copy the right file there, or build the data set again"


def united_header(file: h5py.File) -> Header:
    """Return the header of all rows, with those of the shards.

    Raises:
        UserError: a shard is missing, or is not the one that was united.
        ValueError: the file maps other files than its shards.
    """
    path, table = Path(file.filename), read_table(file)
    for name in COLUMNS:
        open_dataset(file, name, {shard.file for shard in table})
    shards = [_shard_header(path, shard, number, len(table)) for number, shard in enumerate(table)]
    check_alike(shards)
    first, labels = shards[0], np.concatenate([shard.labels for shard in shards])
    stops = np.cumsum([shard.rows for shard in table]).tolist()
    views = [labels[stop - shard.rows : stop] for stop, shard in zip(stops, table, strict=True)]
    return first._replace(
        path=path,
        shape=(len(labels), *first.shape[1:]),
        labels=labels,
        label_names=read_strings(file, "label_names"),
        build=read_text(file, "build"),
        shards=tuple(shard._replace(labels=view) for shard, view in zip(shards, views, strict=True)),
    )


def check_shard(file: h5py.File, number: int, count: int) -> None:
    """Raise a `UserError` unless an open file is that shard of so many."""
    said = file.attrs.get("shard"), file.attrs.get("shards")
    if said != (number, count):
        what = "no shard" if None in said else f"shard {said[0]} of {said[1]}"
        raise UserError(
            f"data set: {file.filename} must be shard {number} of {count}, counted from 0; by its own word it is "
            f"{what}; was it copied over another name? {_MEND.capitalize()}"
        )


def check_alike(shards: Sequence[Header]) -> None:
    """Raise a `UserError` unless all shards can be rows of one data set."""
    for shard in shards[1:]:
        for field in ("build", "key", "encoding", "dtype", "label_names", "color_order", "recipe"):
            compare(shards[0], shard, field, getattr(shards[0], field), getattr(shard, field))
        compare(shards[0], shard, "shape of a row", shards[0].shape[1:], shard.shape[1:])


def compare(first: Header, other: Header, what: str, wanted: object, received: object) -> None:
    """Raise a `UserError` unless two shards say the same of something."""
    if wanted != received:
        raise UserError(
            f"data set: {other.path} must come from one build with {first.path}; its {what} is {received or 'unknown'} "
            f"instead of {wanted or 'unknown'}; {_MEND}"
        )


def check_there(united: Path, path: Path, number: int, count: int) -> None:
    """Raise a `UserError` unless a shard's file is there, in the folder of the uniting one."""
    if path.is_symlink():
        raise UserError(
            f"data set: {united} must have its shards in its own folder; {path} is a link to {path.readlink()}; "
            "do not trust it, or put the file itself there"
        )
    if not path.is_file():
        raise UserError(f"data set: {united} needs shard {number} of {count}, {path}, which is missing; {_MEND}")


def _shard_header(united: Path, shard: Shard, number: int, count: int) -> Header:
    path = united.with_name(shard.file)
    check_there(united, path, number, count)
    with open_file(path) as file, damage_reported(path):
        check_shard(file, number, count)
        header = header_of(file)
        if (*header.shape[:1], *identity(file)) != shard[1:]:
            raise UserError(
                f"data set: {path} is not the file that {united} was made of: it has changed since, or comes from "
                f"another build; {_MEND}"
            )
    return header
