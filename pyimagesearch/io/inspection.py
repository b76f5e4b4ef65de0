"""Says what a data set's file holds, what makes reading it slow, and whether its rows are intact."""

import os
import zlib
from collections.abc import Iterator

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io import fileformat
from pyimagesearch.io.imagefolder import count_by_class
from pyimagesearch.io.rows import MappedRows, open_rows
from pyimagesearch.io.rowstore import row_checksum
from pyimagesearch.io.untrusted import damage_reported, open_dataset, read_text
from pyimagesearch.utils.cli import human_bytes
from pyimagesearch.utils.parallel import cpu_count, map_ahead
from pyimagesearch.utils.progress import progress

_ROWS_AT_ONCE = 64
_SHOWN_CLASSES = 12


def describe(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return what a file holds, as pairs of a topic and a sentence; unfinished files included.

    The topic "warning" tells what makes reading slow or results doubtful.

    Raises:
        UserError: the file is missing, not HDF5, of a newer format, or holds no labelled rows.
    """
    with damage_reported(path), fileformat.open_file(path) as file:
        header = fileformat.header_of(file, unfinished=True)
        complete = not header.ours or bool(file.attrs["complete"])
        n, shape = header.shape[0], "x".join(map(str, header.shape[1:]))
        kind = "feature vectors of length" if len(header.shape) == 2 else "images of"
        order = f", {header.color_order}" if len(header.shape) == 4 and header.shape[-1] == 3 else ""
        names = header.label_names or [str(c) for c in range(header.labels.max() + 1)]
        counts = count_by_class(header.labels, names) if complete else {}
        shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_SHOWN_CLASSES]]
        more = f" and {len(counts) - len(shown):,} more" if len(counts) > len(shown) else ""
        result = {
            "size": human_bytes(os.path.getsize(path)),
            "made by": _maker(file) if header.ours else "another program",
            "complete": "yes" if complete else "NO: its writer was stopped",
            "rows": f"{n:,} {kind} {shape}, {header.dtype}{order}",
            "encoding": f"jpeg, quality {file.attrs['quality']}" if header.encoding == "jpeg" else "raw",
            "layout": _layout(file, header),
            "classes": f"{len(names):,}: {', '.join(shown)}{more}",
            "row origins": "paths" if "paths" in file else "not recorded",
            "checksums": "one a row" if "checksums" in file else "none",
            "how made": read_text(file, "history") or "not recorded",
        }
        warnings = _warnings(file, header, result["layout"])
    return result | ({"warning": "; ".join(warnings)} if warnings else {})


def damaged_rows(path: str | os.PathLike[str]) -> np.ndarray:
    """Check every row of a file against its checksum: bytes, label, path and sums of channels.

    Returns:
        int64 ndarray: the numbers of the rows that are not what was written.

    Raises:
        UserError: the file cannot be used, or has no checksums.
    """
    with damage_reported(path), fileformat.open_file(path) as file:
        header = fileformat.header_of(file)
        checksums = open_dataset(file, "checksums")
        if checksums is None:
            raise UserError(
                f"--verify: {os.fspath(path)} has no checksums to check; python -m pyimagesearch.io --convert "
                "OUT makes a file that has"
            )
        wanted = checksums[:]
        names = open_dataset(file, "paths")
        paths = [b""] * len(wanted) if names is None else names[:].tolist()
        dataset = open_dataset(file, "channel_sums")
        if dataset is not None and (dataset.ndim != 2 or dataset.dtype.kind != "u" or len(dataset) != len(wanted)):
            raise ValueError(f"channel_sums must have a row of sums for each row; it has {dataset}")
        sums = [None] * len(wanted) if dataset is None else dataset[:].astype("<u8", copy=False)
        stored = _stored_bytes(file, header)

        def check(start: int) -> list[int]:
            stop = min(start + _ROWS_AT_ONCE, len(wanted))
            return [
                i
                for i, data in enumerate(stored(start, stop), start)
                if row_checksum(zlib.crc32(data), int(header.labels[i]), paths[i], sums[i]) != wanted[i]
            ]

        starts = range(0, len(wanted), _ROWS_AT_ONCE)
        threads = cpu_count()
        found = map_ahead(check, starts, threads, 4 * threads)
        bad = [row for rows in progress(found, len(wanted), "Verifying", _ROWS_AT_ONCE) for row in rows]
    return np.array(bad, np.int64)


def _stored_bytes(file: h5py.File, header: fileformat.Header):  # type: ignore[no-untyped-def]
    """Return a function from a range of rows to their bytes on disk."""
    if header.encoding == "raw":
        rows = open_rows(header)
        return lambda start, stop: (np.ascontiguousarray(row).data.cast("B") for row in rows.read(range(start, stop)))
    blob = MappedRows(header._replace(shape=file["jpeg"].shape), file["jpeg"].id.get_offset())
    size = len(file["jpeg"])
    ends = np.concatenate((np.zeros(1, np.int64), file["jpeg_ends"][:].astype(np.int64)))

    def jpeg(start: int, stop: int) -> Iterator[np.ndarray]:
        for i in range(start, stop):
            sound = 0 <= ends[i] < ends[i + 1] <= size
            yield blob.span(int(ends[i]), int(ends[i + 1])) if sound else np.empty(0, np.uint8)

    return jpeg


def _maker(file: h5py.File) -> str:
    import json

    try:
        versions = json.loads(read_text(file, "libraries"))
        named = ", ".join(f"{name} {version}" for name, version in versions.items())
    except (ValueError, AttributeError):
        named = "pyimagesearch"
    return f"{named}; format {file.attrs['format_version']}"


def _layout(file: h5py.File, header: fileformat.Header) -> str:
    rows = file[header.key]
    if header.encoding == "jpeg":
        return "one block of bytes, memory-mapped"
    if rows.chunks is None:
        return "contiguous, memory-mapped"
    packed = f", compressed by {rows.compression}" if rows.compression else ""
    return f"chunks of {'x'.join(map(str, rows.chunks))}{packed}"


def _warnings(file: h5py.File, header: fileformat.Header, layout: str) -> list[str]:
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
