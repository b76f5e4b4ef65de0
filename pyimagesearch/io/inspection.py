"""Says what a data set's file holds, what makes reading it slow, and whether its rows are intact."""

import os
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from pyimagesearch.io.format.dataset import header_of, read_header
from pyimagesearch.io.format.header import Header, open_file
from pyimagesearch.io.format.untrusted import damage_reported, read_text
from pyimagesearch.io.images.folder import count_by_class
from pyimagesearch.io.reading.checksums import StoredRows
from pyimagesearch.utils.atomic import PathLike
from pyimagesearch.utils.parallel import cpu_count, map_ahead
from pyimagesearch.utils.progress import progress
from pyimagesearch.utils.text import human_bytes, named

_ROWS_AT_ONCE = 64
_SHOWN_CLASSES = 12
_SHOWN_SHARDS = 32


def describe(path: PathLike) -> dict[str, str]:
    """Return what a file holds, as pairs of a topic and a sentence; unfinished files included.

    The topic "warning" tells what makes reading slow or results doubtful.

    Raises:
        UserError: the file is missing, not HDF5, of a newer format, or holds no labelled rows.
    """
    with damage_reported(path), open_file(path) as file:
        header = header_of(file, unfinished=True)
        complete = not header.ours or bool(file.attrs["complete"])
        n, shape = header.shape[0], "x".join(map(str, header.shape[1:]))
        kind = "feature vectors of length" if len(header.shape) == 2 else "images of"
        order = f", {header.color_order}" if len(header.shape) == 4 and header.shape[-1] == 3 else ""
        names = header.label_names or [str(c) for c in range(header.labels.max() + 1)]
        counts = count_by_class(header.labels, names) if complete else {}
        classes = [f"{name} {count:,}" for name, count in counts.items()]
        result = {
            "size": human_bytes(sum(os.path.getsize(each) for each in {header.path, *(p.path for p in header.parts)})),
            **_shards(file, header),
            "made by": _maker(file) if header.ours else "another program",
            "complete": "yes" if complete else "NO: its writer was stopped",
            "rows": f"{n:,} {kind} {shape}, {header.dtype}{order}",
            "encoding": f"jpeg, quality {file.attrs['quality']}" if header.encoding == "jpeg" else "raw",
            "layout": _layout(file, header),
            "classes": f"{len(names):,}: {named(classes, _SHOWN_CLASSES)}",
            "row origins": "paths" if "paths" in file else "not recorded",
            "checksums": "one a row" if "checksums" in file else "none",
            "how made": read_text(file, "history") or "not recorded",
        }
        warnings = _warnings(file, header, result["layout"])
    return result | ({"warning": "; ".join(warnings)} if warnings else {})


def damaged_rows(path: PathLike) -> np.ndarray:
    """Check every row of a data set against its checksum: bytes, label, path and sums of channels.

    Returns:
        int64 ndarray: the numbers of the rows that are not what was written.

    Raises:
        UserError: the file cannot be used, or has no checksums.
    """
    header = read_header(path)

    def check(block: tuple[StoredRows, int, int]) -> list[int]:
        stored, before, start = block
        rows = stored.read(start, min(start + _ROWS_AT_ONCE, len(stored)))
        return [before + i for i, row in enumerate(rows, start) if not stored.is_intact(i, row)]

    threads = cpu_count()
    with damage_reported(path):
        found = map_ahead(check, _blocks(header), threads, 4 * threads)
        counted = progress(found, header.shape[0], "Verifying", _ROWS_AT_ONCE)
        return np.array([row for rows in counted for row in rows], np.int64)


def _blocks(header: Header) -> Iterator[tuple[StoredRows, int, int]]:
    """Yield every block of rows: its file, the rows before that file, and where the block starts in it."""
    before = 0
    for part in header.parts:
        stored = StoredRows(part)
        yield from ((stored, before, start) for start in range(0, len(stored), _ROWS_AT_ONCE))
        before += len(stored)


def name_rows(path: PathLike, rows: Sequence[int]) -> list[str]:
    """Return the numbers of rows as text; those of a data set in shards say where they lie."""
    header = read_header(path)
    if not header.shards:
        return list(map(str, rows))
    stops = np.cumsum([shard.shape[0] for shard in header.shards])
    names = []
    for row in rows:
        number = int(np.searchsorted(stops, row, "right"))
        shard = header.shards[number]
        names.append(f"{row} (row {row - int(stops[number]) + shard.shape[0]} of {shard.path.name})")
    return names


def _maker(file: h5py.File) -> str:
    import json

    try:
        versions = json.loads(read_text(file, "libraries"))
        maker = ", ".join(f"{name} {version}" for name, version in versions.items())
    except (ValueError, AttributeError):
        maker = "pyimagesearch"
    return f"{maker}; format {file.attrs['format_version']}"


def _shards(file: h5py.File, header: Header) -> dict[str, str]:
    if header.shards:
        shards = [f"{shard.path.name} {shard.shape[0]:,}" for shard in header.shards]
        return {"shards": f"{len(shards):,}, with rows: {named(shards, _SHOWN_SHARDS)}"}
    if "shard" in file.attrs:
        return {"shards": f"this is number {file.attrs['shard']} of {file.attrs['shards']}, counted from 0"}
    return {}


def _layout(file: h5py.File, header: Header) -> str:
    rows = file[header.key]
    if header.shards:
        return f"{len(header.shards):,} shards, memory-mapped"
    if header.encoding == "jpeg":
        return "one block of bytes, memory-mapped"
    if rows.chunks is None:
        return "contiguous, memory-mapped"
    packed = f", compressed by {rows.compression}" if rows.compression else ""
    return f"chunks of {'x'.join(map(str, rows.chunks))}{packed}"


def _warnings(file: h5py.File, header: Header, layout: str) -> list[str]:
    rows, found = file[header.key], []
    mend = "; python -m pyimagesearch.io FILE --convert OUT makes a fast one"
    if rows.compression:
        found.append(f"reading must decompress whole chunks, which is 3 to 45 times slower{mend}")
    elif rows.chunks is not None and rows.chunks[1:] != rows.shape[1:]:
        found.append(f"every row is spread over several chunks, which is slow to read{mend}")
    if len(header.shape) == 4 and header.dtype.kind == "f":
        found.append(f"pixels are stored as {header.dtype}: {header.dtype.itemsize} times the space of 8 bits{mend}")
    if not header.label_names:
        found.append("the classes have no names")
    return found
