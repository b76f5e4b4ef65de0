"""Write labelled rows into an HDF5 file that appears under its name only when it is whole."""

import os
import threading
import weakref
import zlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.jpeg import JpegWriter
from pyimagesearch.io.encodings.raw import RawWriter
from pyimagesearch.io.encodings.row import EncodedRow, RowWriter
from pyimagesearch.io.format.header import Provenance, metadata_checksum
from pyimagesearch.io.format.layout import ALIGNED, utf8, write_strings
from pyimagesearch.io.writing.arguments import (
    TooManyRowsError,
    check_arguments,
    check_labels,
    check_room,
    check_rows,
    check_whole,
)
from pyimagesearch.io.writing.columns import Columns
from pyimagesearch.io.writing.unfinished import Structure, open_structure, root_attributes
from pyimagesearch.io.writing.writebehind import WriteBehind
from pyimagesearch.utils.atomic import (
    LockedFile,
    PathLike,
    check_output,
    open_alone,
    partial_path,
    publish,
    remove_locked,
)
from pyimagesearch.utils.booknames import accepts_book_names
from pyimagesearch.utils.text import classes_in_words

_open_writers: "weakref.WeakValueDictionary[str, HDF5DatasetWriter]" = weakref.WeakValueDictionary()  # by partial path


class HDF5DatasetWriter:
    """Write rows with labels, in order.

    The structure of the file is laid out first, at ``<output_path>.partial``; rows then go straight
    to their places on disk. `close` checks that every promised row came and gives the file its name.
    As a context manager the writer removes the unfinished file if the block raises; on Ctrl-C, and after
    more rows than were promised, the file stays, for a later writer with ``resume=True``.

    A writer that was never closed, as after a failed cell of a notebook, keeps its file: another one of the
    same thread takes it over with ``overwrite=True``, which drops its rows, or ``resume=True``.

    Args:
        dims: shape of all rows, (n, h, w, channels) for images, (n, d) for features.
        output_path: the file to make.
        data_key: name of the rows' dataset: "images" or "features".
        buf_size: number of rows after which the state of the file is flushed: a resumed run loses at most so many.
        encoding: "raw", or "jpeg" for 8-bit images in about an eighth of the space.
        quality: of JPEG images that are encoded here, from 1 to 100.
        dtype: dtype of the rows; by default uint8 for shapes of images, else float32.
        overwrite: replace an existing file, once the new one is complete.
        resume: take over the rows of an unfinished file of the same shape and provenance; see `recover`.
        color_order: "BGR" or "RGB": the order of an image's channels.
        provenance: where the rows come from.
        shard: (index, count) if the file is one of several; see `pyimagesearch.io.shards`.

    Raises:
        UserError: an argument breaks a rule, the file exists, or another writer or process is writing it.
    """

    @accepts_book_names
    def __init__(
        self,
        dims: Sequence[int],
        output_path: PathLike,
        data_key: str = "images",
        buf_size: int = 1000,
        *,
        encoding: str = "raw",
        quality: int = 90,
        dtype: Any = None,
        overwrite: bool = False,
        resume: bool = False,
        color_order: str = "BGR",
        provenance: Provenance = Provenance(),  # noqa: B008 - frozen
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        self.dims = tuple(int(d) for d in dims)
        self.dtype = np.dtype(dtype or (np.uint8 if len(self.dims) == 4 else np.float32))
        check_arguments(self.dims, self.dtype, data_key, buf_size, encoding, quality, color_order, shard)
        self.path = check_output(output_path, overwrite, "output_path")
        self.label_names: list[str] = []
        self.rows_added = 0
        self._rows_flushed, self._buf_size = 0, buf_size
        self._paths: list[str] = []
        pixels = len(self.dims) == 4 and self.dtype == np.uint8
        self._writer: RowWriter = (
            JpegWriter(self.dims, quality) if encoding == "jpeg" else RawWriter(data_key, self.dims, self.dtype, pixels)
        )
        self._columns = Columns(self.dims[0], self.dims[-1] if pixels else 0)
        self._color_order = color_order if len(self.dims) == 4 else ""
        attributes = root_attributes(encoding, provenance, self._color_order, shard)
        self._sealed = False
        self._behind = WriteBehind()
        self._partial = partial_path(self.path)
        structure = Structure(self._partial, attributes, self._columns, self._writer)
        self._file: LockedFile | None = None
        self._take_over(overwrite, resume)
        self._file = open_alone(self._partial, self.path)
        try:
            check_output(output_path, overwrite, "output_path")  # another process may just have finished it
            if resume and structure.exists():
                structure.restore(self._file)
            else:
                structure.lay_out()
            self._writer.reserve(self._file, self._partial)
            self._writer.start(self._file, 0)
        except BaseException:
            self.discard()
            raise
        self._thread = os.getpid(), threading.get_ident()
        _open_writers[os.path.abspath(self._partial)] = self

    def _take_over(self, overwrite: bool, resume: bool) -> None:
        """Stop an unclosed writer of this file and thread, or raise a `UserError`."""
        earlier = _open_writers.get(os.path.abspath(self._partial))
        if earlier is None or earlier._file is None or earlier._thread[0] != os.getpid():
            return
        same_thread = earlier._thread[1] == threading.get_ident()
        if same_thread and resume:
            earlier.suspend()
        elif same_thread and overwrite:
            earlier.discard()
        else:
            advice = (
                "or pass overwrite=True to begin again, resume=True to keep its rows"
                if same_thread
                else ("in its own thread")
            )
            raise UserError(f"output_path: an unclosed writer of this process has {self.path}; close it, {advice}")

    def add(self, rows: Any, labels: Any, paths: Sequence[str] | None = None) -> None:
        """Append rows. They are on their way to disk on return: the caller may reuse its arrays.

        Args:
            rows: array or list of shape ``(m, *dims[1:])``. For a uint8 file it must be uint8; for a
                float file any real dtype, and finite.
            labels: m whole numbers, at least 0.
            paths: m strings, the files that the rows come from; for all rows of a file or for none.

        Raises:
            UserError: shape, dtype or count is wrong, or there are more rows than promised.
        """
        self._require_open()
        rows = np.asarray(rows)
        check_rows(rows, self.dims, self.dtype)
        self.add_encoded([self._writer.encode(row) for row in rows], labels, paths)

    def encode(self, row: np.ndarray, original: bytes | None = None) -> EncodedRow:
        """Do the work of adding a row that any thread can do, for `add_encoded`.

        Args:
            row: ndarray of shape dims[1:], of the file's dtype.
            original: the JPEG file that ``row`` was decoded from, to be stored as it is.

        Raises:
            UserError: shape or dtype is wrong.
        """
        check_rows(row[None], self.dims, self.dtype)
        return self._writer.encode(row, original)

    def add_encoded(self, rows: Sequence[EncodedRow], labels: Any, paths: Sequence[str] | None = None) -> None:
        """Append rows that `encode` prepared; otherwise as `add`."""
        file = self._require_open()
        labels = np.asarray(labels)
        check_labels(len(rows), labels, paths)
        check_room(self.path, self.dims[0], self.rows_added, len(rows))
        if len(rows) and self.rows_added and (paths is None) == bool(self._paths):
            raise UserError("paths: must be given for all rows of a file or for none")
        self._paths.extend(map(os.fspath, paths or ()))
        names = [utf8(os.fspath(path)) for path in paths] if paths else [b""] * len(rows)
        start = 0
        while start < len(rows):
            stop = start + self._buf_size - (self.rows_added - self._rows_flushed)
            self._append(file, rows[start:stop], labels[start:stop], names[start:stop])
            start = stop

    def _append(self, file: LockedFile, rows: Sequence[EncodedRow], labels: np.ndarray, paths: Sequence[bytes]) -> None:
        self._behind.wrote(file, self._writer.append(file, rows))
        self._columns.put(self.rows_added, rows, labels, paths)
        self.rows_added += len(rows)
        if self.rows_added - self._rows_flushed >= self._buf_size:
            self.flush()

    def recover(self, labels: np.ndarray, paths: Sequence[str] | None = None, multiple_of: int = 1) -> int:
        """Take over the rows that an earlier run wrote, as far as their checksums are right.

        Args:
            labels, paths: those of all rows of the file, in order.
            multiple_of: take over a multiple of so many rows, or all: for rows that are made in batches.

        Returns:
            The number of rows taken over, which is the index of the next row to add.
        """
        file = self._require_open()
        checksums = self._columns.checksums.tolist()
        names = list(paths or ())
        for i, data in enumerate(self._writer.stored(file)):
            path = utf8(names[i]) if names else b""
            if not data or self._columns.checksum(i, zlib.crc32(data), int(labels[i]), path) != checksums[i]:
                break
            self.rows_added = i + 1
        if self.rows_added < self.dims[0]:
            self.rows_added -= self.rows_added % multiple_of
        self._paths = names[: self.rows_added]
        self._rows_flushed = self.rows_added
        self._writer.start(file, self.rows_added)
        return self.rows_added

    def flush(self) -> None:
        """Write all that a resumed run needs to continue from here."""
        file = self._require_open()
        self._columns.flush(file, self._rows_flushed, self.rows_added)
        self._writer.flush(file, self._rows_flushed, self.rows_added)
        self._writer.start(file, self.rows_added)
        self._rows_flushed = self.rows_added

    def store_class_labels(self, class_labels: Sequence[str]) -> None:
        """Set the names of classes 0, 1, ...; every label must have one."""
        self._require_open()
        self.label_names = [str(name) for name in class_labels]

    storeClassLabels = store_class_labels  # noqa: N815 - the book's name

    def channel_means(self) -> np.ndarray:
        """Return the mean of each channel over all rows so far, float64 of shape (channels,)."""
        return self._columns.channel_sums(self.rows_added) / (self.rows_added * self.dims[1] * self.dims[2])

    def seal(self) -> None:
        """Finish the file on disk, under its unfinished name; `close` then only renames it.

        Raises:
            UserError: rows are missing, or a label has no name; the unfinished file is removed.
        """
        if self._file is None or self._sealed:
            return
        try:
            check_whole(self.path, self.dims[0], self.rows_added, self._columns.labels, self.label_names)
            self.flush()
            with open_structure(self._partial, "r+", **ALIGNED) as file:
                self._writer.finish(file)
                for name, strings in (("label_names", self.label_names), ("paths", self._paths)):
                    if strings:
                        write_strings(file, name, strings)
                file.attrs.modify("checksum", metadata_checksum(file))
                file.flush()
                file.attrs["complete"] = 1
            os.fsync(self._file.fileno())
            self._sealed = True
        except BaseException:
            self.discard()
            raise

    def close(self) -> None:
        """Finish the file and give it its final name. Closing twice is harmless.

        Raises:
            UserError: rows are missing, or a label has no name; no file is left then.
        """
        self.seal()
        if self._file is not None:
            file, self._file = self._file, None
            self._behind.stop()
            publish(self._partial, self.path, file)

    def suspend(self) -> None:
        """Stop and leave the unfinished file for a later run with ``resume=True``."""
        if self._file is not None:
            if not self._sealed:
                self.flush()
            self._behind.stop()
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Give up: remove the unfinished file; a file that had the final name before stays."""
        if self._file is not None:
            file, self._file = self._file, None
            self._behind.stop()
            remove_locked(self._partial, file)

    def __enter__(self) -> "HDF5DatasetWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif kind in (KeyboardInterrupt, TooManyRowsError):
            self.suspend()
        else:
            self.discard()

    def __repr__(self) -> str:
        order = f", {self._color_order}" if self._color_order else ""
        state = "closed" if self._file is None else "sealed" if self._sealed else "open"
        rows = f"{self.rows_added:,} of {self.dims[0]:,} rows of shape {self.dims[1:]}, {self.dtype}{order}"
        return f"<HDF5DatasetWriter {self.path}: {rows}; {classes_in_words(self.label_names)}; {state}>"

    def _require_open(self) -> LockedFile:
        if self._file is None or self._sealed:
            raise UserError(f"{self.path}: the writer is closed; make a new one to write another file")
        return self._file
