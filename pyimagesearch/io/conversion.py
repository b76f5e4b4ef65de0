"""Convert any HDF5 file of labelled images or features to the fast format, in one file or several."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import EncodedRow
from pyimagesearch.io.foreign.plan import Choices, Plan
from pyimagesearch.io.foreign.rows import PlannedRows, count_unwritten_tail, unwritten
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.format.sandbox import try_in_sandbox
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.reading.checksums import ChecksummedReader
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.io.shards.names import check_set_output, shard_paths, shard_ranges
from pyimagesearch.io.shards.uniting import publish_set
from pyimagesearch.utils.atomic import PathLike, partial_path
from pyimagesearch.utils.progress import progress

_ROWS_AT_ONCE, _QUALITY = 64, 90

logger = logging.getLogger(__name__)


def convert(
    source: PathLike, target: PathLike, *, encoding: str | None = None, quality: int | None = None,
    dtype: str | None = None, shards: int | None = None, overwrite: bool = False, **choices: Any,
) -> None:  # fmt: skip
    """Write the rows, labels, names and paths of ``source`` to a new data set ``target``.

    With ``shards``, rows of our own files keep their form unless another one is asked for: their bytes are copied and
    verified, with everything that the file says of itself; so a data set that is split and then merged is the same file
    again. Otherwise images of 8 bits stay what they are, those of other programs' files become what
    `io.foreign.pixels.rule_of` says, and features become float32 or ``dtype``, flat rows of uint8 excepted.
    What is assumed of a file or lost is logged, and written into the history of the copy.

    Args:
        encoding, quality: as of `HDF5DatasetWriter`; "raw" and 90 by default.
        dtype: dtype of features: "float16" or "float32"; for flat rows of uint8 "uint8" by default.
        shards: number of files to make; 1 merges shards into one.
        overwrite: replace an existing target, which may be the source, once the new one is complete.
        **choices: for a file of another program, where its rows are and how they are stored, as far as that is not
            plain; see `io.foreign.plan.Choices`.

    Raises:
        UserError: the source cannot be used, a value breaks the rule by which values become pixels, a row that is to
            be copied is damaged, rows at the end were never written, or the target cannot be written.
    """
    told = Choices(**choices)
    try_in_sandbox(source, told)
    header = read_header(source, told)
    if header.plan:
        _require_written(header, header.plan)
    said_quality = header.quality if header.encoding == "jpeg" else None
    form = encoding or header.encoding, quality or said_quality, np.dtype(dtype or header.dtype)
    settings: dict[str, Any] = {"color_order": header.color_order, "provenance": header.provenance}
    rows: Iterator[EncodedRow | np.ndarray]
    if shards and not header.plan and form == (header.encoding, said_quality, header.dtype):
        rows = _copied(header)
        key = "images" if header.encoding == "jpeg" else header.key
        settings |= {"data_key": key, "dtype": header.dtype, "encoding": header.encoding}
        settings["quality"] = said_quality or _QUALITY
    else:
        images = len(header.shape) == 4
        kept = header.dtype if images or header.dtype == np.uint8 else np.dtype("float32")
        settings["data_key"] = "images" if images else "features"
        settings["dtype"] = kept if images else np.dtype(dtype or kept)
        settings["encoding"] = encoding or (header.encoding if shards else "raw")
        settings["quality"] = quality or (shards and said_quality) or _QUALITY
        settings["provenance"] = replace(header.provenance, history=_history(header), libraries="")
        if settings["encoding"] == "jpeg" and images and kept != np.uint8:
            raise UserError(
                f'encoding: "jpeg" holds images of 8 bits; those of {header.path} are {kept}; pass encoding="raw"'
                + (', or map their range by scale="LOW..HIGH"' if header.plan else "")
            )
        rows = _decoded(header)
    ranges = shard_ranges(header.shape[0], shards or 1)
    check_set_output(target, len(ranges), overwrite)
    try:
        _write(rows, header, target, ranges, settings | {"overwrite": overwrite})
        publish_set(target, len(ranges), overwrite)
    except BaseException:
        for path in shard_paths(target, len(ranges)):
            partial_path(path).unlink(missing_ok=True)
        raise


def _write(
    rows: Iterator[EncodedRow | np.ndarray], header: Header, target: PathLike,
    ranges: Sequence[tuple[int, int]], settings: dict[str, Any],
) -> None:  # fmt: skip
    """Leave every shard sealed under its unfinished name."""
    paths = read_row_paths(header)
    counted = progress(rows, header.shape[0], "Converting")
    for index, (path, (first, last)) in enumerate(zip(shard_paths(target, len(ranges)), ranges, strict=True)):
        dims = (last - first, *header.shape[1:])
        with HDF5DatasetWriter(dims, path, shard=(index, len(ranges)), **settings) as writer:
            if header.label_names:
                writer.store_class_labels(header.label_names)
            for start in range(first, last, _ROWS_AT_ONCE):
                stop = min(start + _ROWS_AT_ONCE, last)
                block = [
                    row if isinstance(row, EncodedRow) else writer.encode(row)
                    for row in itertools.islice(counted, stop - start)
                ]
                writer.add_encoded(block, header.labels[start:stop], paths[start:stop] or None)
            writer.seal()
            writer.suspend()
    next(counted, None)  # ends the progress


def _copied(header: Header) -> Iterator[EncodedRow | np.ndarray]:
    """Yield the rows as they lie in the source.

    Raises:
        UserError: a row is damaged.
    """
    for file in header.files:
        rows = ChecksummedReader(file)
        for index, row in enumerate(rows.read(0, len(rows))):
            if not rows.is_intact(index, row):
                raise UserError(
                    f"data set: every row that is copied must be what was written; row {index} of {file.path} is "
                    "damaged; verify the file to see whether others are, and build it again"
                )
            yield row
        rows.close()


def _decoded(header: Header) -> Iterator[EncodedRow | np.ndarray]:
    """Yield the rows as arrays."""
    if header.plan:
        if header.plan.assumption:
            logger.warning(header.plan.assumption)
        with PlannedRows(header.plan) as planned:
            for _, block in planned.blocks():
                yield from block
            if losses := planned.losses():
                logger.warning(f"{header.path}: {losses}")
        return
    rows = open_rows(header)
    for start in range(0, header.shape[0], _ROWS_AT_ONCE):
        yield from rows.read(range(start, min(start + _ROWS_AT_ONCE, header.shape[0])))
    rows.close()


def _require_written(header: Header, plan: Plan) -> None:
    with PlannedRows(plan) as rows:
        count = 0 if plan.choices.rows else count_unwritten_tail(rows.stored, header.labels)
    if count:
        raise UserError(f"rows: must all be written, and of {header.path} {unwritten(count, header.shape[0])}")


def _history(header: Header) -> str:
    """Return how the rows of a copy were made."""
    if not header.plan:
        return f"{header.provenance.history}; converted from {header.encoding} {header.dtype}"
    words = "; ".join(f"{topic}: {text}" for topic, text in header.plan.in_words().items())
    return f"converted from {header.path.name}, of another program; {words}"
