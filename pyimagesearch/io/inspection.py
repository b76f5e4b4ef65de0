"""Describe a data set: what it holds, what makes reading it slow; and verify its rows."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from pyimagesearch.io.foreign.labels import read_labels
from pyimagesearch.io.foreign.plan import Choices, Plan
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.foreign.rows import PlannedRows, count_unwritten_tail, unwritten
from pyimagesearch.io.format.dataset import header_of, planned_header, read_header
from pyimagesearch.io.format.header import Header, is_ours, open_file
from pyimagesearch.io.format.sandbox import try_in_sandbox
from pyimagesearch.io.format.untrusted import damage_reported, damaged, open_dataset, read_number
from pyimagesearch.io.reading.checksums import ChecksummedReader, no_checksums
from pyimagesearch.utils.atomic import PathLike
from pyimagesearch.utils.parallel import cpu_count, map_ahead
from pyimagesearch.utils.progress import progress
from pyimagesearch.utils.text import human_bytes, named

_ROWS_AT_ONCE = 64
_SHOWN_CLASSES = 12
_SHOWN_SHARDS = 32


def describe(path: PathLike, **choices: Any) -> dict[str, str]:
    """Return what a file holds, as pairs of a topic and a sentence; unfinished files included.

    The topic "warning" tells what makes reading slow or results doubtful.

    Args:
        path: the file.
        **choices: for a file of another program, what is to be told of it; see `io.foreign.plan.Choices`.

    Raises:
        UserError: the file is missing, not HDF5, of a newer format, or holds no labelled rows.
        UnrecognisedError: what a file of another program holds is not plain, and can be told.
    """
    told = Choices(**choices)
    try_in_sandbox(path, told)
    with open_file(path, told) as file:
        if not is_ours(file):
            return _describe_foreign(path, told)
        header = header_of(file, unfinished=True)
        complete = read_number(file, "complete") == 1
        names = header.label_names or [str(c) for c in range(header.labels.max() + 1)]
        if complete and header.labels.max() >= len(names):
            raise damaged(path, f"labels up to {header.labels.max()}, and {len(names)} names of classes")
        result = {
            "size": human_bytes(sum(os.path.getsize(each) for each in {header.path, *(f.path for f in header.files)})),
            **_shards(file, header),
            "made by": _maker(header, file),
            "complete": "yes" if complete else "NO: its writer was stopped",
            "rows": _rows(header),
            "encoding": f"jpeg, quality {header.quality}" if header.encoding == "jpeg" else "raw",
            "layout": _layout(file, header),
            "classes": _classes(header.labels, names, complete),
            "row origins": "not recorded" if open_dataset(file, "paths") is None else "paths",
            "checksums": "none" if open_dataset(file, "checksums") is None else "one a row",
            "how made": header.provenance.history or "not recorded",
        }
        warnings = _warnings(file, header)
    return result | ({"warning": "; ".join(warnings)} if warnings else {})


def _describe_foreign(path: PathLike, choices: Choices) -> dict[str, str]:
    plan = plan_file(path, choices, ask=False)
    words = plan.in_words()
    facts = {"size": human_bytes(os.path.getsize(path)), "made by": "another program", "complete": "yes"}
    warnings = [words.pop("remarks")] if "remarks" in words else []
    if plan.unfinished:
        return facts | {"complete": f"NO: {words.pop('unfinished')}", **words}
    labels = read_labels(plan)
    names = labels.names or [str(c) for c in range(labels.numbers.max() + 1)]
    if not plan.is_images or plan.rule:
        facts["rows"] = _rows(planned_header(plan, labels))
        with PlannedRows(plan) as rows:
            if count := count_unwritten_tail(rows.stored, labels.numbers):
                facts["complete"] = "as told" if choices.rows else f"NO: {unwritten(count, len(plan))}"
            slow = rows.slow_when_shuffled()
        warnings += [slow] if slow else []
    facts |= {**words, "classes": _classes(labels.numbers, names, True)}
    facts |= {"layout": plan.storage} if plan.storage else {}
    warnings += [*labels.remarks, *_slow_storage(plan), *([] if labels.names else ["the classes have no names"])]
    return facts | {"checksums": "none"} | ({"warning": "; ".join(warnings)} if warnings else {})


def _slow_storage(plan: Plan) -> list[str]:
    mend = "; convert it to a fast one"
    if "compressed" in plan.storage:
        return [f"reading must decompress whole chunks, which is 3 to 45 times slower{mend}"]
    if "rows spread" in plan.storage:
        return [f"every row is spread over several chunks, which is slow to read{mend}"]
    if plan.is_images and plan.rule and plan.rule.dtype == "uint8" and plan.dtype.itemsize > 1:
        return [f"pixels are stored as {plan.dtype}: {plan.dtype.itemsize} times the space of 8 bits{mend}"]
    return []


def _rows(header: Header) -> str:
    kind = "feature vectors of length" if len(header.shape) == 2 else "images of"
    order = f", {header.color_order}" if len(header.shape) == 4 and header.shape[-1] == 3 else ""
    return f"{header.shape[0]:,} {kind} {'x'.join(map(str, header.shape[1:]))}, {header.dtype}{order}"


def _classes(labels: np.ndarray, names: Sequence[str], complete: bool) -> str:
    counts = np.bincount(labels, minlength=len(names)).tolist() if complete else []
    shown = [f"{name} {count:,}" for name, count in zip(names, counts, strict=False)]
    return f"{len(names):,}: {named(shown, _SHOWN_CLASSES)}"


def damaged_rows(path: PathLike) -> np.ndarray:
    """Verify every row of a data set by its checksum: bytes, label, path and sums of channels.

    Returns:
        int64 ndarray: the indexes of the rows that are not what was written.

    Raises:
        UserError: the file cannot be used, or has no checksums.
    """
    try_in_sandbox(path)
    with open_file(path) as file:
        if not is_ours(file):
            raise no_checksums(path)
        header = header_of(file)

    def verify(block: tuple[ChecksummedReader, int, int]) -> list[int]:
        reader, before, start = block
        rows = reader.read(start, min(start + _ROWS_AT_ONCE, len(reader)))
        return [before + i for i, row in enumerate(rows, start) if not reader.is_intact(i, row)]

    threads = cpu_count()
    found = map_ahead(verify, _blocks(header), threads, 4 * threads)
    counted = progress(found, header.shape[0], "Verifying", _ROWS_AT_ONCE)
    return np.array([row for rows in counted for row in rows], np.int64)


def _blocks(header: Header) -> Iterator[tuple[ChecksummedReader, int, int]]:
    """Yield every block of rows: its file, the rows before that file, and where the block starts in it."""
    for file, before in zip(header.files, header.starts, strict=True):
        reader = ChecksummedReader(file)
        yield from ((reader, before, start) for start in range(0, len(reader), _ROWS_AT_ONCE))


def name_rows(path: PathLike, rows: Sequence[int]) -> list[str]:
    """Return the indexes of rows as text; in a data set of shards with their places in those."""
    header = read_header(path)
    if not header.shards:
        return list(map(str, rows))
    places = [(row, *header.locate(row)) for row in rows]
    return [f"{row} (row {index} of {header.shards[shard].path.name})" for row, shard, index in places]


def _maker(header: Header, file: h5py.File) -> str:
    try:
        versions = json.loads(header.provenance.libraries)
        libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    except (ValueError, AttributeError):  # another program wrote the attribute
        libraries = "pyimagesearch"
    return f"{libraries}; format {read_number(file, 'format_version')}"


def _shards(file: h5py.File, header: Header) -> dict[str, str]:
    if header.shards:
        shown = named([f"{shard.path.name} {shard.shape[0]:,}" for shard in header.shards], _SHOWN_SHARDS)
        return {"shards": f"{len(header.shards):,}, with rows: {shown}"}
    index = read_number(file, "shard")
    return (
        {} if index is None else {"shards": f"this is shard {index} of {read_number(file, 'shards')}, counted from 0"}
    )


def _layout(file: h5py.File, header: Header) -> str:
    if header.shards:
        return f"{len(header.shards):,} shards, memory-mapped"
    if header.encoding == "jpeg":
        return "one block of bytes, memory-mapped"
    with damage_reported(header.path):
        rows = file[header.key]
        if rows.chunks is None:
            return "contiguous, memory-mapped"
        packed = f", compressed by {rows.compression}" if rows.compression else ""
        return f"chunks of {'x'.join(map(str, rows.chunks))}{packed}"


def _warnings(file: h5py.File, header: Header) -> list[str]:
    found = []
    with damage_reported(header.path):
        if file[header.key].chunks is not None:
            found.append("another program has rewritten its rows in chunks, which are slower to read; convert it")
    return found if header.label_names else [*found, "the classes have no names"]
