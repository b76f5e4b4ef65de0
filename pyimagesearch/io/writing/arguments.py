"""Validate what a writer is given."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.layout import KEYS


def check_arguments(
    dims: tuple[int, ...], dtype: np.dtype, key: str, buf_size: int, encoding: str, quality: int, order: str,
    shard: tuple[int, int],
) -> None:  # fmt: skip
    """Raise a `UserError` unless the arguments of `HDF5DatasetWriter` obey their rules."""
    if len(dims) < 2 or min(dims) < 1:
        raise UserError(f"dims: must be (rows, ...) with every size at least 1; received {dims}")
    if key not in KEYS:
        raise UserError(f"data_key: must be one of {', '.join(KEYS)}; received {key!r}")
    if buf_size < 1:
        raise UserError(f"buf_size: must be at least 1; received {buf_size}")
    if order not in ("BGR", "RGB"):
        raise UserError(f'color_order: must be "BGR" or "RGB"; received {order!r}')
    if encoding not in ("raw", "jpeg"):
        raise UserError(f'encoding: must be "raw" or "jpeg"; received {encoding!r}')
    if encoding == "jpeg" and (len(dims) != 4 or dtype != np.uint8 or not 1 <= quality <= 100):
        raise UserError(
            'encoding: "jpeg" needs dims (n, h, w, channels), dtype uint8 and a quality of 1 to 100; '
            f"received {dims}, {dtype}, quality {quality}"
        )
    if not 0 <= shard[0] < shard[1]:
        raise UserError(f"shard: must be (index, count) with index from 0 to count - 1; received {shard}")


def check_rows(rows: np.ndarray, dims: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise a `UserError` unless ``rows`` fit a file of shape ``dims`` and of ``dtype``."""
    if rows.ndim != len(dims) or rows.shape[1:] != dims[1:]:
        raise UserError(
            f"rows: must have shape (m, {', '.join(map(str, dims[1:]))}); "
            f"received {rows.shape}; add one batch, not one row, at a time"
        )
    if dtype.kind in "iu" and rows.dtype != dtype:
        raise UserError(
            f"rows: must be {dtype} as the file is; received {rows.dtype}; convert the rows, "
            "or pass dtype= to the writer for another kind of file"
        )
    if dtype.kind == "f" and (rows.dtype.kind not in "iuf" or not _finite(rows, dtype)):
        raise UserError(
            f"rows: must be finite numbers; received {rows.dtype} with NaN or infinity, or no "
            "numbers; look at how they were made"
        )


def check_labels(count: int, labels: np.ndarray, paths: Sequence[str] | None) -> None:
    """Raise a `UserError` unless there are ``count`` labels, and as many paths if there are any."""
    if labels.shape != (count,) or (count and labels.dtype.kind not in "iu"):
        raise UserError(
            f"labels: must be {count} whole numbers, one for each row; "
            f"received shape {labels.shape}, dtype {labels.dtype}"
        )
    if labels.size and labels.min() < 0:
        raise UserError(f"labels: must be at least 0; received {labels.min()}")
    if paths is not None and len(paths) != count:
        raise UserError(f"paths: must be one for each of {count} rows; received {len(paths)}")


class TooManyRowsError(UserError):
    """More rows came than a file was promised; those that it has are kept."""


def check_room(path: Path, promised: int, added: int, count: int) -> None:
    """Raise a `TooManyRowsError` if ``count`` more rows are more than were promised."""
    if added + count > promised:
        raise TooManyRowsError(
            f"rows: {path} was promised {promised:,} rows; received {added + count:,}; set dims[0] to the number "
            f"of rows; the {added:,} rows before these are kept: resume=True and `recover` continue with them"
        )


def check_whole(path: Path, promised: int, added: int, labels: np.ndarray, label_names: Sequence[str]) -> None:
    """Raise a `UserError` if rows are missing, or a label has no name."""
    if added != promised:
        raise UserError(
            f"rows: {path} was promised {promised:,} rows and received {added:,}; the unfinished file was removed"
        )
    if label_names and labels.max() >= len(label_names):
        raise UserError(
            f"labels: must be below {len(label_names)}, the number of class names; received {labels.max()}; the "
            "unfinished file was removed"
        )


def _finite(rows: np.ndarray, dtype: np.dtype) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.isfinite(rows.astype(dtype, copy=False)).all())
