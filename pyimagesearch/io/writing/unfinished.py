"""The HDF5 structure of an unfinished file: laid out, recognised, and restored for a resumed run."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import RowWriter
from pyimagesearch.io.format.header import Provenance, open_file
from pyimagesearch.io.format.layout import FORMAT, VERSION
from pyimagesearch.io.format.untrusted import open_dataset, read_attribute
from pyimagesearch.io.writing.columns import Columns
from pyimagesearch.utils.versions import library_versions


@contextlib.contextmanager
def open_structure(path: Path, mode: str, **options: Any) -> Iterator[h5py.File]:
    """Open a file with h5py, and say in plain words what HDF5 says of a full disk.

    Raises:
        OSError: the disk is full, or fails.
    """
    try:
        with h5py.File(path, mode, locking=False, **options) as file:
            yield file
    except RuntimeError as error:
        raise OSError(f"{path} cannot be written: is the disk full? (HDF5: {error})") from error


def root_attributes(encoding: str, provenance: Provenance, color_order: str, shard: tuple[int, int]) -> dict[str, Any]:
    """Return the attributes of a file's root, without those that say nothing."""
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "format_version": VERSION,
        "encoding": encoding,
        "history": provenance.history,
        "build": provenance.build,
        "libraries": provenance.libraries or library_versions(),
    }
    attributes |= {"color_order": color_order} if color_order else {}
    attributes |= {"recipe": provenance.recipe} if provenance.recipe else {}
    return attributes | ({"shard": shard[0], "shards": shard[1]} if shard[1] > 1 else {})


class Structure:
    """Everything in the file but the rows and the columns beside them.

    Args:
        path: the unfinished file.
        attributes: attributes of the root, which tell one plan from another.
        columns, rows: what is laid out.
    """

    def __init__(self, path: Path, attributes: Mapping[str, Any], columns: Columns, rows: RowWriter) -> None:
        self._path, self._attributes = path, attributes
        self._columns, self._rows = columns, rows

    def lay_out(self, path: Path | None = None) -> None:
        """Make the file from scratch, at ``path`` if that is given; equal plans make equal structures."""
        with open_structure(path or self._path, "w") as file:
            file.attrs["complete"] = 0
            file.attrs["checksum"] = np.uint32(0)
            file.attrs.update(self._attributes)
            self._columns.allocate(file)
            self._rows.allocate(file)

    def exists(self) -> bool:
        """Return whether the file was made by the same plan."""
        try:
            with open_file(self._path) as file:
                shapes = {
                    name: None if (dataset := open_dataset(file, name)) is None else dataset.shape
                    for name in self._columns.shapes
                }
                same = all(read_attribute(file, name) == value for name, value in self._attributes.items())
                return same and shapes == self._columns.shapes
        except (UserError, ValueError):  # it is no HDF5 file, or an attribute is an array
            return False

    def restore(self, file: BinaryIO) -> None:
        """Restore the structure as it was laid out, wherever an earlier run was killed; then read what it flushed.

        The structure is laid out once more in a file beside this one, where rows and columns are holes, and copied
        over but for those. JPEG images lie past everything else: their hole has no end.
        """
        template = self._path.with_name(f"{self._path.name}.structure")
        try:
            self.lay_out(template)
            size = os.path.getsize(template)
            with open(template, "rb") as source:
                position = 0
                for start, stop in [*sorted(self._columns.places + self._rows.places), (size, size)]:
                    if start > position:
                        source.seek(position)
                        file.seek(position)
                        file.write(source.read(start - position).ljust(start - position, b"\0"))
                    position = max(position, stop)
                if position == size:
                    file.truncate(size)
        finally:
            template.unlink(missing_ok=True)
        file.flush()
        self._columns.load(file)
        self._rows.load(file)
