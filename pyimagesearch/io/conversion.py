"""Rewrites any readable data set, the book's float64 files included, in the fast format."""

import os
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io import fileformat
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.rows import open_rows
from pyimagesearch.io.untrusted import read_text
from pyimagesearch.utils.progress import progress

_ROWS_AT_ONCE = 64


def convert(
    source: str | os.PathLike[str], target: str | os.PathLike[str], *, encoding: str = "raw",
    quality: int = 90, dtype: str | None = None, overwrite: bool = False,
) -> None:  # fmt: skip
    """Write the rows, labels, names and paths of ``source`` to a new file ``target``.

    Images become 8-bit; features become float32, or ``dtype``.

    Args:
        encoding, quality, overwrite: as of `HDF5DatasetWriter`.
        dtype: dtype of features: "float16" or "float32".

    Raises:
        UserError: the source cannot be used, its pixels are no whole numbers in [0, 255], or the
            target cannot be written.
    """
    with fileformat.open_file(source) as file:
        header = fileformat.header_of(file)
        paths = fileformat.read_strings(file, "paths")
        history = read_text(file, "history")
    images = len(header.shape) == 4
    rows = open_rows(header)
    with HDF5DatasetWriter(
        header.shape, target, "images" if images else "features", encoding=encoding, quality=quality,
        dtype=np.uint8 if images else np.dtype(dtype or "float32"), overwrite=overwrite,
        color_order=header.color_order, history=f"{history}; converted from {header.encoding} {header.dtype}",
        build=header.build,
    ) as writer:  # fmt: skip
        if header.label_names:
            writer.store_class_labels(header.label_names)
        starts = range(0, len(header.labels), _ROWS_AT_ONCE)
        for start in progress(starts, len(header.labels), "Converting", _ROWS_AT_ONCE):
            stop = min(start + _ROWS_AT_ONCE, len(header.labels))
            batch: Any = np.stack(rows.read(range(start, stop)))
            writer.add(
                _eight_bit(batch, header, start) if images else batch,
                header.labels[start:stop],
                paths[start:stop] if paths else None,
            )
    rows.close()


def _eight_bit(batch: np.ndarray, header: fileformat.Header, first: int) -> np.ndarray:
    if batch.dtype == np.uint8:
        return batch
    pixels = batch.clip(0, 255).astype(np.uint8)
    if (pixels != batch).any():
        row = first + int(np.flatnonzero((pixels != batch).any(axis=(1, 2, 3)))[0])
        raise UserError(
            f"--convert: pixels must be whole numbers in 0..255; row {row} of {header.path} holds others, "
            f"from {batch.min()} to {batch.max()}; were they scaled, or was a mean subtracted? Build from the images"
        )
    return pixels
