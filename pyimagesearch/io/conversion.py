"""Convert any readable data set, the book's float64 files included, to the fast format, in one file or several."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import EncodedRow
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.reading.checksums import ChecksummedReader
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.io.shards.names import check_set_output, shard_paths, shard_ranges
from pyimagesearch.io.shards.uniting import publish_set
from pyimagesearch.utils.atomic import PathLike, partial_path
from pyimagesearch.utils.progress import progress

_ROWS_AT_ONCE, _QUALITY = 64, 90


def convert(
    source: PathLike, target: PathLike, *, encoding: str | None = None, quality: int | None = None,
    dtype: str | None = None, shards: int | None = None, overwrite: bool = False,
) -> None:  # fmt: skip
    """Write the rows, labels, names and paths of ``source`` to a new data set ``target``.

    With ``shards``, rows keep their form unless another one is asked for: their bytes are copied and verified, with
    everything that the file says of itself; so a data set that is split and then merged is the same file again.
    Otherwise images become 8-bit, and features float32 or ``dtype``.

    Args:
        encoding, quality: as of `HDF5DatasetWriter`; "raw" and 90 by default.
        dtype: dtype of features: "float16" or "float32".
        shards: number of files to make; 1 merges shards into one.
        overwrite: replace an existing target, which may be the source, once the new one is complete.

    Raises:
        UserError: the source cannot be used, its pixels are no whole numbers in [0, 255], a row that is to be copied
            is damaged, or the target cannot be written.
    """
    header = read_header(source)
    said_quality = header.quality if header.encoding == "jpeg" else None
    form = encoding or header.encoding, quality or said_quality, np.dtype(dtype or header.dtype)
    settings: dict[str, Any] = {"color_order": header.color_order, "provenance": header.provenance}
    rows: Iterator[EncodedRow | np.ndarray]
    if shards and header.ours and form == (header.encoding, said_quality, header.dtype):
        rows = _copied(header)
        key = "images" if header.encoding == "jpeg" else header.key
        settings |= {"data_key": key, "dtype": header.dtype, "encoding": header.encoding}
        settings["quality"] = said_quality or _QUALITY
    else:
        rows = _decoded(header)
        images = len(header.shape) == 4
        settings["data_key"] = "images" if images else "features"
        settings["dtype"] = np.uint8 if images else np.dtype(dtype or "float32")
        settings["encoding"] = encoding or (header.encoding if shards else "raw")
        settings["quality"] = quality or (shards and said_quality) or _QUALITY
        history = f"{header.provenance.history}; converted from {header.encoding} {header.dtype}"
        settings["provenance"] = replace(header.provenance, history=history, libraries="")
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
    """Yield the rows as arrays, those of images as 8-bit ones."""
    rows = open_rows(header)
    for start in range(0, header.shape[0], _ROWS_AT_ONCE):
        batch = np.stack(rows.read(range(start, min(start + _ROWS_AT_ONCE, header.shape[0]))))
        yield from _eight_bit(batch, header, start) if len(header.shape) == 4 else batch
    rows.close()


def _eight_bit(batch: np.ndarray, header: Header, first: int) -> np.ndarray:
    if batch.dtype == np.uint8:
        return batch
    pixels = batch.clip(0, 255).astype(np.uint8)
    if (pixels != batch).any():
        row = first + int(np.flatnonzero((pixels != batch).any(axis=(1, 2, 3)))[0])
        raise UserError(
            f"data set: pixels must be whole numbers in 0..255; row {row} of {header.path} holds others, "
            f"from {batch.min()} to {batch.max()}; were they scaled, or was a mean subtracted? Build from the images"
        )
    return pixels
