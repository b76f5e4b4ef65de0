"""The HDF5 structure of a file that is being written: laid out, recognised, mended."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.encodings.row import RowStore
from pyimagesearch.io.format.header import open_file
from pyimagesearch.io.format.layout import FORMAT, VERSION
from pyimagesearch.io.writing.columns import RowTable
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


def root_attributes(
    encoding: str, history: str, build: str, libraries: str, color_order: str, recipe: str, shard: tuple[int, int]
) -> dict[str, Any]:
    """Return the attributes of a file's root, as `HDF5DatasetWriter` is given them, without those that say nothing."""
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "format_version": VERSION,
        "encoding": encoding,
        "history": history,
        "build": build,
        "libraries": libraries or library_versions(),
    }
    attributes |= {"color_order": color_order} if color_order else {}
    attributes |= {"recipe": recipe} if recipe else {}
    return attributes | ({"shard": shard[0], "shards": shard[1]} if shard[1] > 1 else {})


class Structure:
    """Everything in the file but the rows and the table beside them.

    Args:
        path: the unfinished file.
        attributes: attributes of the root, which tell one plan from another.
        table, store: what is laid out.
    """

    def __init__(self, path: Path, attributes: Mapping[str, Any], table: RowTable, store: RowStore) -> None:
        self._path, self._attributes = path, attributes
        self._table, self._store = table, store

    def lay_out(self, path: Path | None = None) -> None:
        """Make the file anew, at ``path`` if that is given; equal plans make equal structures."""
        with open_structure(path or self._path, "w") as file:
            file.attrs["complete"] = False
            file.attrs["checksum"] = np.uint32(0)
            file.attrs.update(self._attributes)
            self._table.allocate(file)
            self._store.allocate(file)

    def is_there(self) -> bool:
        """Return whether the file was made by the same plan."""
        try:
            with open_file(self._path) as file:
                shapes = {name: file[name].shape for name in self._table.shapes}
                same = all(file.attrs.get(name) == value for name, value in self._attributes.items())
                return same and shapes == self._table.shapes
        except (UserError, OSError, KeyError, RuntimeError, ValueError, TypeError):
            return False

    def mend(self, file: BinaryIO) -> None:
        """Put the structure back to how it was laid out, wherever an earlier run was killed.

        It is laid out once more in a file beside this one, where rows and table are holes, and copied
        over but for those. Then what the earlier run flushed is read.
        """
        template = self._path.with_name(f"{self._path.name}.structure")
        try:
            self.lay_out(template)
            size = os.path.getsize(template)
            with open(template, "rb") as source:
                position = 0
                for start, stop in [*sorted(self._table.places + self._store.places), (size, size)]:
                    source.seek(position)
                    file.seek(position)
                    file.write(source.read(max(0, min(start, size) - position)))
                    position = max(position, stop)
                if self._store.rows_at < size:
                    file.truncate(size)
                else:
                    file.seek(size)
                    file.write(bytes(self._store.rows_at - size))
        finally:
            template.unlink(missing_ok=True)
        file.flush()
        self._table.load(file)
        self._store.load(file)
