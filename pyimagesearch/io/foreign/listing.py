"""Lists what lies in an HDF5 file, without reading its data and without being led out of it."""

import os
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing
from pyimagesearch.io.foreign.filters import filters_of
from pyimagesearch.io.foreign.links import find
from pyimagesearch.io.foreign.sources import problem_of

_MOST_OBJECTS = 300_000
_MOST_LEVELS = 32
_MOST_ATTRIBUTES, _LARGEST_ATTRIBUTE = 200, 4096
_BEGINNING, _LARGEST_FILE = 16, 2**25
_UNREADABLE = (OSError, RuntimeError, ValueError, TypeError, LookupError, UnicodeError, MemoryError, AttributeError)


def open_hdf5(path: str | os.PathLike[str], locked: bool = False) -> h5py.File:
    """Open an HDF5 file for reading, also one that this process has open elsewhere.

    Args:
        locked: whether HDF5's own lock is tried first, as ``h5py.File(path)`` takes it, rather than none.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        return h5py.File(path, "r", locking=None if locked else False)
    except OSError as first:
        try:
            return h5py.File(path, "r", locking=False if locked else None)  # all of one process must lock alike
        except OSError:
            raise first from None


def open_foreign(path: str | os.PathLike[str]) -> h5py.File:
    """Open an HDF5 file of another program, so that the rest of a notebook can open it too.

    Raises:
        UserError: it cannot be opened.
    """
    try:
        return open_hdf5(path, locked=True)
    except OSError as error:
        raise UserError(f"data set: {os.fspath(path)} cannot be opened as HDF5: {error}") from error


def read_listing(file: h5py.File, most: int = _MOST_OBJECTS, alive: Callable[[], None] = lambda: None) -> Listing:
    """List the datasets of an open file with shapes, dtypes, attributes and what is odd about them.

    Soft links are followed inside the file. Links to other files, data in other files and missing sources are noted
    in ``problem``. Of the data, only the first element of bytes and text is read.

    Args:
        most: how many objects are listed at most.
        alive: called for every hundredth of them.
    """
    datasets: list[DatasetEntry] = []
    groups: dict[str, dict[str, Any]] = {}
    seen = {_address(file)}
    ahead: list[tuple[str, h5py.Group, int]] = [("", file, 0)]
    complete = True
    while ahead:
        before, group, level = ahead.pop()
        for name in group:
            if len(datasets) % 100 == 0:
                alive()
            if len(datasets) + len(groups) >= most:
                complete = False
                break
            path = f"{before}{name}"
            try:
                found = find(file, name, group)
            except UserError as error:
                datasets.append(_nothing(path, str(error).rpartition("; it ")[2]))
                continue
            except _UNREADABLE as error:
                datasets.append(_nothing(path, f"cannot be opened ({error})"))
                continue
            if isinstance(found, h5py.Dataset):
                datasets.append(_entry(path, found))
            elif (address := _address(found)) not in seen and level < _MOST_LEVELS and not name.startswith("#"):
                seen.add(address)  # MATLAB's groups of inner matters begin with "#"
                groups[path] = read_attributes(found)
                ahead.append((f"{path}/", found, level + 1))
    datasets.sort(key=lambda entry: entry.path)
    return Listing(os.fsdecode(file.filename), tuple(datasets), read_attributes(file), groups, complete)


def read_attributes(owner: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Return attributes as plain values; those that are large or cannot be read are None."""
    values: dict[str, Any] = {}
    for name in list(owner.attrs)[:_MOST_ATTRIBUTES]:
        try:
            stored = owner.attrs.get_id(name)
            empty = stored.get_space().get_simple_extent_type() == h5py.h5s.NULL
            unread = not empty and stored.get_storage_size() > _LARGEST_ATTRIBUTE
            values[name] = "" if empty else None if unread else _plain(owner.attrs[name])
        except _UNREADABLE:
            values[name] = None
    return values


def decoded(text: Any) -> str:
    """Return bytes or text as text; bytes that are no UTF-8 are read as Latin-1."""
    if not isinstance(text, bytes):
        return str(text)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return decoded(value).rstrip("\0")
    if isinstance(value, np.generic):
        return value.item()
    return value


def _address(found: h5py.Group | h5py.Dataset) -> int:
    return int(h5py.h5o.get_info(found.id).addr)


def _nothing(path: str, problem: str) -> DatasetEntry:
    return DatasetEntry(path, (), "no dataset", "other", problem=problem)


def _entry(path: str, dataset: h5py.Dataset) -> DatasetEntry:
    """Describe a dataset; whatever cannot be found out becomes its problem."""
    try:
        filters, problem = filters_of(dataset)
        problem = problem_of(dataset) or problem
        kind, dtype = _kind(dataset.dtype)
        stored = 1 if dataset.is_virtual or dataset.external else dataset.id.get_storage_size()
        return DatasetEntry(
            path, dataset.shape or (), dtype, kind, dataset.dtype.itemsize, read_attributes(dataset), dataset.chunks,
            filters, stored, _unwritten(dataset),
            _beginning(dataset, kind) if stored and not problem else b"",
            _address(dataset), problem,
        )  # fmt: skip
    except _UNREADABLE as error:
        return _nothing(path, f"cannot be read ({error})")


def _kind(dtype: np.dtype) -> tuple[str, str]:
    """Return the kind of a dtype, and its name for people."""
    if h5py.check_string_dtype(dtype) is not None:
        return "text", "text"
    inner = h5py.check_vlen_dtype(dtype)
    if inner is not None:
        return ("bytes" if np.dtype(inner).itemsize == 1 else "other"), f"{np.dtype(inner)} of any length"
    if h5py.check_ref_dtype(dtype) is not None:
        return "reference", "references"
    if dtype.kind == "V" and dtype.names is None and dtype.subdtype is None:
        return "bytes", f"{dtype.itemsize} bytes"
    return (dtype.kind if dtype.kind in "uifb" else "other"), ("a table" if dtype.names else str(dtype))


def _unwritten(dataset: h5py.Dataset) -> int:
    if dataset.chunks is None or dataset.is_virtual:
        return 0
    expected = 1
    for side, chunk in zip(dataset.shape, dataset.chunks, strict=True):
        expected *= -(-side // chunk)
    return max(0, int(expected - dataset.id.get_num_chunks()))


def _beginning(dataset: h5py.Dataset, kind: str) -> bytes:
    if not dataset.size:
        return b""
    if dataset.dtype == np.uint8 and dataset.ndim == 1 and (dataset.chunks or (0,))[0] <= _LARGEST_FILE:
        return bytes(dataset[:_BEGINNING])
    if kind not in ("text", "bytes"):
        return b""
    first = dataset[(0,) * dataset.ndim]
    if isinstance(first, str):
        first = first.encode("utf-8", "surrogateescape")
    return bytes(first)[:_BEGINNING]
