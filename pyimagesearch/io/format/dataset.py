"""The header of a data set, in one file or in several."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.labels import Labels, read_labels
from pyimagesearch.io.foreign.plan import Choices, Plan
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.format.header import Header, Provenance, header_of_file, is_ours, open_file, validate_ours
from pyimagesearch.io.format.layout import COLUMNS
from pyimagesearch.io.format.shardtable import ShardEntry, identity, is_united, read_table
from pyimagesearch.io.format.untrusted import damaged, open_dataset, read_number, read_strings, read_text

_MEND = "copy the right file there, or build the data set again"


def read_header(path: str | os.PathLike[str], choices: Choices | None = None) -> Header:
    """Read and validate the header of a data set, ours or another program's.

    Args:
        choices: what the user tells of a file of another program.

    Raises:
        UserError: the file is missing, not HDF5, unfinished, of a newer format, or holds no
            labelled rows.
        UnrecognisedError: what a file of another program holds is not plain, and can be told.
    """
    with open_file(path, choices) as file:
        if is_ours(file):
            if choices and choices != Choices():
                raise UserError(
                    f"data set: {os.fspath(path)} says itself where its rows are, and how they are stored; "
                    f"leave out {', '.join(choices.told)}"
                )
            return header_of(file)
    plan = plan_file(path, choices)
    return planned_header(plan, read_labels(plan))


def header_of(file: h5py.File, unfinished: bool = False) -> Header:
    """Read and validate the header of an open file of ours.

    Args:
        unfinished: whether an unfinished file is welcome.

    Raises:
        UserError: another program wrote it; otherwise as `read_header`.
    """
    validate_ours(file, unfinished)
    return united_header(file) if is_united(file) else header_of_file(file)


def planned_header(plan: Plan, labels: Labels) -> Header:
    """Return the header of a file of another program."""
    return Header(
        path=Path(plan.file), key=plan.images, encoding="raw", shape=plan.shape, dtype=plan.row_dtype,
        labels=labels.numbers, label_names=labels.names, color_order=plan.color_order or "BGR",
        provenance=Provenance(recipe=plan.recipe), plan=plan,
    )  # fmt: skip


def united_header(file: h5py.File) -> Header:
    """Return the header of all rows, with those of the shards.

    Raises:
        UserError: a shard is missing, or is not the one that was united; or the file maps other files than its shards.
    """
    path, table = Path(file.filename), read_table(file)
    for name in COLUMNS:
        open_dataset(file, name, {shard.file for shard in table})
    shards = [_shard_header(path, shard, index, len(table)) for index, shard in enumerate(table)]
    check_alike(shards)
    labels = np.concatenate([shard.labels for shard in shards])
    stops = np.cumsum([len(shard.labels) for shard in shards]).tolist()
    views = [labels[stop - len(shard.labels) : stop] for stop, shard in zip(stops, shards, strict=True)]
    return replace(
        shards[0],
        path=path,
        shape=(len(labels), *shards[0].shape[1:]),
        labels=labels,
        label_names=read_strings(file, "label_names"),
        provenance=Provenance(*(read_text(file, name) for name in ("history", "build", "recipe", "libraries"))),
        shards=tuple(replace(shard, labels=view) for shard, view in zip(shards, views, strict=True)),
    )


def check_shard(file: h5py.File, index: int, count: int) -> None:
    """Raise a `UserError` unless an open file is that shard of so many."""
    said = read_number(file, "shard"), read_number(file, "shards")
    if said != (index, count):
        what = "no shard" if None in said else f"shard {said[0]} of {said[1]}"
        raise UserError(
            f"data set: {file.filename} must be shard {index} of {count}, counted from 0; it says that it is {what}; "
            f"was it copied over another name? {_MEND.capitalize()}"
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


def check_there(united: Path, path: Path, index: int, count: int) -> None:
    """Raise a `UserError` unless the file of a shard lies in the folder of the uniting one."""
    if path.is_symlink():
        raise UserError(
            f"data set: {united} must have its shards in its own folder; {path} is a link to {path.readlink()}; "
            "do not trust it, or put the file itself there"
        )
    if not path.is_file():
        raise UserError(f"data set: {united} needs shard {index} of {count}, {path}, which is missing; {_MEND}")


def _shard_header(united: Path, shard: ShardEntry, index: int, count: int) -> Header:
    path = united.with_name(shard.file)
    check_there(united, path, index, count)
    with open_file(path) as file:
        check_shard(file, index, count)
        header = header_of(file)
        if (header.shape[0], *identity(file)) != (shard.rows, shard.checksum, shard.rows_checksum):
            raise UserError(
                f"data set: {path} is not the file that {united} was made of: it has changed since, or comes from "
                f"another build; {_MEND}"
            )
    if header.shards:
        raise damaged(path, "a shard that unites shards")
    return header


def check_images(header: Header) -> None:
    """Raise a `UserError` unless a data set holds images."""
    if len(header.shape) != 4:
        raise UserError(
            f"data set: {header.path} must hold images of shape (n, h, w, channels); it holds {header.key} of "
            f"shape {header.shape}; pass a file of the build step"
        )


def check_same_build(first: Header, second: Header) -> None:
    """Raise a `UserError` if two data sets were not made together, so that their splits may overlap."""
    if first.build != second.build or first.label_names != second.label_names:
        raise UserError(
            f"data set: {first.path} and {second.path} must come from one run of the build step, or "
            f"images of one may be in the other; received builds {first.build or 'unknown'} and "
            f"{second.build or 'unknown'}; build them together"
        )


def read_splits(train: str | os.PathLike[str], validation: str | os.PathLike[str]) -> tuple[Header, Header]:
    """Read the headers of two splits of images that one build made.

    Raises:
        UserError: a file cannot be used, holds no images, or the two are of different builds.
    """
    headers = read_header(train), read_header(validation)
    for header in headers:
        check_images(header)
    check_same_build(*headers)
    return headers


def is_finished(path: str | os.PathLike[str], build: str) -> bool:
    """Return whether the file that a resumed build is to make exists already.

    Args:
        build: the mark that its writer would give it.

    Raises:
        UserError: another file has its name.
    """
    if not os.path.exists(path):
        return False
    if read_header(path).build == build:
        return True
    raise UserError(
        f"resume: {os.fspath(path)} exists and comes from another build, so there is nothing to resume; pass "
        "overwrite=True to replace it, or choose another output"
    )
