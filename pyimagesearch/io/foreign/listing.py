"""List what lies in an HDF5 file, without reading its data and without being led out of it."""

import importlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.opening import find, problem_of
from pyimagesearch.utils.text import named, printable

FILTERS = {
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 307: "bzip2", 32000: "lzf",
    32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd", 32017: "sz", 32018: "fcidecomp",
    32019: "jpeg", 32022: "bitgroom", 32023: "granular bitround", 32024: "sz3", 32026: "blosc2", 32028: "sperr",
}  # fmt: skip
"""Names of filters by their registered numbers."""

_OF_PLUGIN = {307, 32001, 32004, 32008, 32013, 32015, 32017, 32018, 32024, 32026, 32028}
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_SHORT_SIGNATURES = (b"BM", b"II*\0", b"MM\0*", b"RIFF", b"GIF8")  # text and numbers may begin like them
_MOST_OBJECTS, _MOST_LEVELS, _MOST_SHOWN = 300_000, 32, 24
_MOST_ATTRIBUTES, _LARGEST_ATTRIBUTE = 200, 4096
_BEGINNING, _LARGEST_FILE = 16, 2**25
_UNREADABLE = (OSError, RuntimeError, ValueError, TypeError, LookupError, UnicodeError, MemoryError, AttributeError)


@dataclass(frozen=True)
class DatasetEntry:
    """One dataset, or a link that leads to none.

    Attributes:
        path: where it lies, such as "train/data".
        shape: its shape; () for a single value and for a link that leads nowhere.
        dtype: its dtype as people write it: "uint8", "text", "uint8 of any length".
        kind: "u", "i", "f" or "b" as numpy has it for numbers; "text", "bytes", "reference" or "other".
        attributes: its attributes; bytes are decoded, arrays of one element unpacked.
        chunks: the shape of its chunks, or None.
        filters: names of the filters of its chunks.
        stored_bytes: what it takes in the file.
        unwritten: how many of its chunks were never written.
        begins: the first bytes of its first element, where elements are bytes or text; or of a list of bytes.
        address: the same for two names of one dataset; 0 where unknown.
        problem: why it cannot be read, as the end of a sentence that begins with its path; or "".
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    chunks: tuple[int, ...] | None = None
    filters: tuple[str, ...] = ()
    stored_bytes: int = 1
    unwritten: int = 0
    begins: bytes = b""
    address: int = 0
    problem: str = ""

    @property
    def numeric(self) -> bool:
        """True if elements are numbers."""
        return len(self.kind) == 1

    @property
    def image_files(self) -> bool:
        """True if elements are the bytes of image files."""
        return self.begins.startswith(_SIGNATURES + (_SHORT_SIGNATURES if self.kind == "bytes" else ()))

    @property
    def size(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    @property
    def empty(self) -> bool:
        """True if nothing was ever written into it."""
        return self.size > 0 and self.stored_bytes == 0 and not self.problem

    @property
    def matlab(self) -> bool:
        """True if MATLAB wrote it, whose axes lie in reverse."""
        return "MATLAB_class" in self.attributes

    def __str__(self) -> str:
        text = f"{printable(self.path)} {self.shape} {self.dtype}"
        return f"{text} ({self.problem})" if self.problem else text


@dataclass(frozen=True)
class Listing:
    """What lies in an HDF5 file.

    Attributes:
        file: its path.
        datasets: its datasets, in the order of their paths.
        attributes: those of the root.
        groups: the attributes of every group, by its path.
        complete: False where the file holds more objects than were listed.
    """

    file: str
    datasets: tuple[DatasetEntry, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    complete: bool = True

    def get(self, path: str) -> DatasetEntry | None:
        """Return the dataset at a path, or None."""
        return self._by_path.get(path.strip("/"))

    @cached_property
    def _by_path(self) -> dict[str, DatasetEntry]:
        return {entry.path: entry for entry in self.datasets}

    def attributes_of(self, entry: DatasetEntry) -> Iterator[Mapping[str, Any]]:
        """Yield the attributes of a dataset, of the groups that hold it from the inmost, and of the root."""
        yield entry.attributes
        group = parent(entry.path)
        while group:
            yield self.groups.get(group, {})
            group = parent(group)
        yield self.attributes


def parent(path: str) -> str:
    """Return the path of the group that holds a dataset; "" is the root."""
    return path.rpartition("/")[0]


def contents(entries: Iterable[DatasetEntry]) -> str:
    """Return a list of datasets with path, shape and dtype, as the end of a sentence."""
    return named(list(map(str, entries)), _MOST_SHOWN, "; ") or "no datasets"


def read_listing(file: h5py.File, most: int = _MOST_OBJECTS, alive: Callable[[], None] = lambda: None) -> Listing:
    """List the datasets of an open file with shapes, dtypes, attributes and what is odd about them.

    Soft links are followed inside the file. Links to other files, data in other files and missing sources are noted
    in ``problem``. Of the data, only the first element of bytes and text is read.

    Args:
        most: how many objects are listed at most.
        alive: called after every hundredth of them.
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
    return value.item() if isinstance(value, np.generic) else value


def _address(found: h5py.Group | h5py.Dataset) -> int:
    return int(h5py.h5o.get_info(found.id).addr)


def _nothing(path: str, problem: str) -> DatasetEntry:
    return DatasetEntry(path, (), "no dataset", "other", problem=problem)


def _entry(path: str, dataset: h5py.Dataset) -> DatasetEntry:
    """Describe a dataset; whatever cannot be found out becomes its problem."""
    try:
        filters, problem = _filters(dataset)
        problem = problem_of(dataset) or problem
        kind, dtype = _kind(dataset.dtype)
        stored = 1 if dataset.is_virtual or dataset.external else dataset.id.get_storage_size()
        return DatasetEntry(
            path, dataset.shape or (), dtype, kind, read_attributes(dataset), dataset.chunks, filters, stored,
            _unwritten(dataset), _beginning(dataset, kind) if stored and not problem else b"", _address(dataset),
            problem,
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


def _filters(dataset: h5py.Dataset) -> tuple[tuple[str, ...], str]:
    """Return the names of a dataset's filters, and as the end of a sentence what is missing to read it; or ""."""
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    names = tuple(FILTERS.get(code, f"filter {code}") for code in codes)
    for code, name in zip(codes, names, strict=True):
        if not _available(code):
            plugin = "the plugin of this filter must be on HDF5_PLUGIN_PATH"
            how = "pip install hdf5plugin" if code in _OF_PLUGIN else plugin
            return names, f"is compressed by {name}, which this HDF5 library cannot read without a plugin: {how}"
    return names, ""


def _available(code: int) -> bool:
    if code in _OF_PLUGIN and not h5py.h5z.filter_avail(code):
        try:
            importlib.import_module("hdf5plugin")  # registers its filters
        except ImportError:
            return False
    return bool(h5py.h5z.filter_avail(code))


def _unwritten(dataset: h5py.Dataset) -> int:
    if dataset.chunks is None or dataset.is_virtual:
        return 0
    expected = math.prod(-(-side // chunk) for side, chunk in zip(dataset.shape, dataset.chunks, strict=True))
    return max(0, int(expected - dataset.id.get_num_chunks()))


def _beginning(dataset: h5py.Dataset, kind: str) -> bytes:
    if not dataset.size:
        return b""
    if dataset.dtype == np.uint8 and dataset.ndim == 1 and (dataset.chunks or (0,))[0] <= _LARGEST_FILE:
        return bytes(dataset[:_BEGINNING])
    if kind not in ("text", "bytes"):
        return b""
    first = dataset[(0,) * dataset.ndim]
    return (first.encode("utf-8", "surrogateescape") if isinstance(first, str) else bytes(first))[:_BEGINNING]
