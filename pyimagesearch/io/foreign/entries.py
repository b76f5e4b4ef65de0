"""Listing of an HDF5 file: facts about the file and each of its datasets, without access to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pyimagesearch.utils.text import printable

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_SHORT_SIGNATURES = (b"BM", b"II*\0", b"MM\0*", b"RIFF", b"GIF8")  # text and numbers may begin like them


@dataclass(frozen=True)
class DatasetEntry:
    """One dataset, or a link that leads to none.

    Attributes:
        path: where it lies, such as "train/data".
        shape: its shape; () for a single value and for a link that leads nowhere.
        dtype: its dtype as people write it: "uint8", "text", "uint8 of any length".
        kind: "u", "i", "f" or "b" as numpy has it for numbers; "text", "bytes", "reference" or "other".
        itemsize: bytes of one element.
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
    itemsize: int = 1
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
        """True if its elements are numbers."""
        return len(self.kind) == 1

    @property
    def image_files(self) -> bool:
        """True if its elements are the bytes of image files."""
        return self.begins.startswith(_SIGNATURES + (_SHORT_SIGNATURES if self.kind == "bytes" else ()))

    @property
    def size(self) -> int:
        """The number of its elements."""
        count = 1
        for side in self.shape:
            count *= side
        return count

    @property
    def empty(self) -> bool:
        """True if nothing was ever written to it."""
        return self.size > 0 and self.stored_bytes == 0 and not self.problem

    @property
    def matlab(self) -> bool:
        """True if MATLAB wrote it, which stores axes in reverse."""
        return "MATLAB_class" in self.attributes

    def __str__(self) -> str:
        text = f"{printable(self.path)} {self.shape} {self.dtype}"
        return f"{text} ({self.problem})" if self.problem else text


@dataclass(frozen=True)
class Listing:
    """The contents of an HDF5 file.

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
