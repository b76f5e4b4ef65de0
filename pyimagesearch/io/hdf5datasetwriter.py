"""Writes labelled rows into an HDF5 file that appears under its name only when it is whole."""

import contextlib
import os
import zlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, BinaryIO

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io import fileformat
from pyimagesearch.io.atomic import PathLike, check_output, partial_path, publish
from pyimagesearch.utils.booknames import accepts_book_names

_BUFFER_BYTES = 64 * 2**20


class HDF5DatasetWriter:
    """Write rows with labels, one buffer at a time.

    The structure of the file is laid out first, at ``<output_path>.partial``; rows then go straight
    to their places on disk. `close` checks that every promised row came and gives the file its name.
    As a context manager the writer removes the unfinished file if the block raises.

    Args:
        dims: shape of all rows, (n, h, w, channels) for images, (n, d) for features.
        output_path: the file to make.
        data_key: name of the rows' dataset: "images" or "features".
        buf_size: rows that are collected before they are written; fewer if they fill 64 MiB.
        dtype: dtype of the rows; by default uint8 for shapes of images, else float32.
        overwrite: replace an existing file, once the new one is complete.
        color_order: "BGR" or "RGB": the order of an image's channels.
        history: free text of how the rows were made.
        build: a mark shared by files that are made together.

    Raises:
        UserError: an argument breaks a rule, the file exists, or another process is writing it.
    """

    @accepts_book_names
    def __init__(
        self,
        dims: Sequence[int],
        output_path: PathLike,
        data_key: str = "images",
        buf_size: int = 1000,
        *,
        dtype: Any = None,
        overwrite: bool = False,
        color_order: str = "BGR",
        history: str = "",
        build: str = "",
    ) -> None:
        self.dims = tuple(int(d) for d in dims)
        if len(self.dims) < 2 or min(self.dims) < 1:
            raise UserError(f"dims: must be (rows, ...) with every size at least 1; received {tuple(dims)}")
        if data_key not in fileformat.KEYS:
            raise UserError(f"data_key: must be one of {', '.join(fileformat.KEYS)}; received {data_key!r}")
        if buf_size < 1:
            raise UserError(f"buf_size: must be at least 1; received {buf_size}")
        if color_order not in ("BGR", "RGB"):
            raise UserError(f'color_order: must be "BGR" or "RGB"; received {color_order!r}')
        self.dtype = np.dtype(dtype or (np.uint8 if len(self.dims) == 4 else np.float32))
        self.path = check_output(output_path, overwrite, "output_path")
        self.label_names: list[str] = []
        self._paths: list[str] = []
        self._rows_written = 0
        self._buffered = 0
        self._sealed = False
        row_bytes = int(np.prod(self.dims[1:])) * self.dtype.itemsize
        size = max(1, min(buf_size, self.dims[0], _BUFFER_BYTES // row_bytes))
        self._rows = np.empty((size, *self.dims[1:]), self.dtype)
        self._labels = np.empty(self.dims[0], np.int64)
        self._checksums = np.empty(self.dims[0], np.uint32)
        self._partial = partial_path(self.path)
        self._file: BinaryIO | None = _open_alone(self._partial, self.path)
        try:
            self._offsets = self._lay_out(data_key, color_order, history, build)
        except BaseException:
            self.discard()
            raise

    def _lay_out(self, key: str, color_order: str, history: str, build: str) -> dict[str, int]:
        with h5py.File(self._partial, "w", locking=False) as file:
            file.attrs["format"] = fileformat.FORMAT
            file.attrs["format_version"] = fileformat.VERSION
            file.attrs["complete"] = False
            file.attrs["encoding"] = "raw"
            file.attrs["history"] = history
            file.attrs["build"] = build
            file.attrs["libraries"] = fileformat.library_versions()
            if len(self.dims) == 4:
                file.attrs["color_order"] = color_order
            n = self.dims[:1]
            return {
                "labels": fileformat.allocate(file, "labels", n, np.int64),
                "checksums": fileformat.allocate(file, "checksums", n, np.uint32),
                "rows": fileformat.allocate(file, key, self.dims, self.dtype),
            }

    def add(self, rows: Any, labels: Any, paths: Sequence[str] | None = None) -> None:
        """Append rows; they are copied, so the caller may reuse its arrays.

        Args:
            rows: array or list of shape (m, *dims[1:]). For a uint8 file it must be uint8; for a
                float file any real dtype, and finite.
            labels: m whole numbers, at least 0.
            paths: m strings, the files that the rows come from; for all rows of a file or for none.

        Raises:
            UserError: shape, dtype or count is wrong, or there are more rows than promised.
        """
        file = self._require_open()
        rows, labels = np.asarray(rows), np.asarray(labels)
        self._check(rows, labels, paths)
        start = self.rows_added
        self._labels[start : start + len(rows)] = labels
        if paths is not None:
            self._paths.extend(map(os.fspath, paths))
        done = 0
        while done < len(rows):
            count = min(len(rows) - done, len(self._rows) - self._buffered)
            self._rows[self._buffered : self._buffered + count] = rows[done : done + count]
            self._buffered += count
            done += count
            if self._buffered == len(self._rows):
                self._write(file)

    @property
    def rows_added(self) -> int:
        """Rows that were added so far."""
        return self._rows_written + self._buffered

    def flush(self) -> None:
        """Write the rows that are buffered."""
        self._write(self._require_open())

    def store_class_labels(self, class_labels: Sequence[str]) -> None:
        """Set the names of classes 0, 1, ...; every label must have one."""
        self._require_open()
        self.label_names = [str(name) for name in class_labels]

    storeClassLabels = store_class_labels  # noqa: N815 - the book's name

    def seal(self) -> None:
        """Finish the file on disk, under its unfinished name; `close` then only renames it.

        Raises:
            UserError: rows are missing, or a label has no name; the unfinished file is removed.
        """
        file = self._file
        if file is None or self._sealed:
            return
        try:
            self._write(file)
            self._check_whole()
            for name, values in (("labels", self._labels), ("checksums", self._checksums)):
                file.seek(self._offsets[name])
                file.write(values.data)
            file.flush()
            with h5py.File(self._partial, "r+", locking=False) as h5:
                if self.label_names:
                    fileformat.write_strings(h5, "label_names", self.label_names)
                if self._paths:
                    fileformat.write_strings(h5, "paths", self._paths)
                h5.attrs["complete"] = True
            os.fsync(file.fileno())
            self._sealed = True
        except BaseException:
            self.discard()
            raise

    def close(self) -> None:
        """Finish the file and give it its final name. Closing twice is harmless.

        Raises:
            UserError: rows are missing, or a label has no name; no file is left then.
        """
        if self._file is None:
            return
        self.seal()
        publish(self._partial, self.path)
        self._file.close()
        self._file = None

    def discard(self) -> None:
        """Give up: remove the unfinished file; a file that had the final name before stays."""
        if self._file is not None:
            self._partial.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def __enter__(self) -> "HDF5DatasetWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _require_open(self) -> BinaryIO:
        if self._file is None or self._sealed:
            raise UserError(f"{self.path}: the writer is closed; make a new one to write another file")
        return self._file

    def _check(self, rows: np.ndarray, labels: np.ndarray, paths: Sequence[str] | None) -> None:
        if rows.shape[1:] != self.dims[1:] or rows.ndim != len(self.dims):
            raise UserError(
                f"rows: must have shape (m, {', '.join(map(str, self.dims[1:]))}); "
                f"received {rows.shape}; add one batch, not one row, at a time"
            )
        if self.dtype.kind in "iu" and rows.dtype != self.dtype:
            raise UserError(
                f"rows: must be {self.dtype} as the file is; received {rows.dtype}; convert the rows, "
                "or pass dtype= to the writer for another kind of file"
            )
        if self.dtype.kind == "f" and (rows.dtype.kind not in "iuf" or not np.isfinite(rows).all()):
            raise UserError(
                f"rows: must be finite numbers; received {rows.dtype} with NaN or infinity, or no "
                "numbers; look at how the features were made"
            )
        if labels.shape != rows.shape[:1] or labels.dtype.kind not in "iu":
            raise UserError(
                f"labels: must be {len(rows)} whole numbers, one for each row; "
                f"received shape {labels.shape}, dtype {labels.dtype}"
            )
        if labels.size and labels.min() < 0:
            raise UserError(f"labels: must be at least 0; received {labels.min()}")
        if paths is not None and len(paths) != len(rows):
            raise UserError(f"paths: must be one for each of {len(rows)} rows; received {len(paths)}")
        if len(rows) and (paths is None) == bool(self._paths) and self.rows_added:
            raise UserError("paths: must be given for all rows of a file or for none")
        if self.rows_added + len(rows) > self.dims[0]:
            raise UserError(
                f"rows: {self.path} was promised {self.dims[0]:,} rows; received "
                f"{self.rows_added + len(rows):,}; set dims[0] to the number of rows that come"
            )

    def _write(self, file: BinaryIO) -> None:
        rows, start = self._rows[: self._buffered], self._rows_written
        for i, row in enumerate(rows, start):
            crc = zlib.crc32(self._labels[i].astype("<i8").tobytes(), zlib.crc32(row))
            path = self._paths[i].encode("utf-8", "backslashreplace") if self._paths else b""
            self._checksums[i] = zlib.crc32(path, crc)
        if len(rows):
            file.seek(self._offsets["rows"] + start * rows[0].nbytes)
            file.write(rows.data)
            self._rows_written += len(rows)
            self._buffered = 0

    def _check_whole(self) -> None:
        if self._rows_written != self.dims[0]:
            raise UserError(
                f"rows: {self.path} was promised {self.dims[0]:,} rows and received "
                f"{self._rows_written:,}; the unfinished file was removed"
            )
        if self.label_names and self._labels.max() >= len(self.label_names):
            raise UserError(
                f"labels: must be below {len(self.label_names)}, the number of class names; "
                f"received {self._labels.max()}; the unfinished file was removed"
            )


def _open_alone(partial: os.PathLike[str], path: os.PathLike[str]) -> BinaryIO:
    """Open the unfinished file and lock it for as long as it stays open."""
    file = os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    with contextlib.suppress(ImportError):  # Windows has no fcntl, and does not let two write at once
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            renamed = os.stat(partial).st_ino != os.fstat(file.fileno()).st_ino
        except OSError:
            renamed = True
        if renamed:
            file.close()
            raise UserError(
                f"output_path: another process is writing {os.fspath(path)} right now; "
                "wait for it, or choose another name"
            )
    return file
