"""Reads HDF5 files whose structure, attributes and datasets were made up or spoiled, thousands of them.

Half of the seeds are files of ours, the others are such as other programs write.

    python fuzz_headers.py FOLDER COUNT

Every file must give a clear error or a read, in 5 seconds and 1 GiB of memory; what the checksums call whole must
be what was written. Prints how many were tried, how many went well, and what the others did; and before that how many
stop the HDF5 library itself where no helper process opens them first. The file that is being read lies in
FOLDER/case.hdf5, should it end this process.
"""

import logging
import os
import resource
import signal
import struct
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import h5py
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.foreign.rows import PlannedRows
from pyimagesearch.io.format import header, sandbox
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import metadata_checksum
from pyimagesearch.io.inspection import damaged_rows, describe
from pyimagesearch.io.reading.rows import open_rows

ROWS, SHAPE = 12, (8, 8, 3)
MAX_SECONDS, MAX_BYTES = 5, 2**30
ATTRIBUTES = (
    "format", "format_version", "complete", "checksum", "encoding", "image_shape", "quality", "color_order",
    "history", "libraries", "build", "recipe", "shard", "shards", "shards_checksum", "color_space", "layer_names",
)  # fmt: skip
DATASETS = (
    "images", "features", "jpeg", "jpeg_ends", "labels", "label_names", "paths", "checksums", "channel_sums", "shards",
    "X", "y", "image", "label", "list_classes",
)  # fmt: skip
FIELDS = (0, 1, 2, 7, 8, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)


def write_seeds(folder: Path) -> list[Path]:
    """Write sound files of every kind."""
    images = np.random.default_rng(0).integers(0, 256, (ROWS, *SHAPE), np.uint8)
    labels, names = np.arange(ROWS) % 2, [f"{i}.jpg" for i in range(ROWS)]
    seeds = []
    for encoding in ("raw", "jpeg"):
        seeds.append(folder / f"{encoding}.hdf5")
        with HDF5DatasetWriter(images.shape, seeds[-1], encoding=encoding) as writer:
            writer.store_class_labels(["cat", "dog"])
            writer.add(images, labels, names)
    for kind, options in (("gzip", {"compression": "gzip", "shuffle": True}), ("chunks", {"chunks": (2, *SHAPE)})):
        seeds.append(folder / f"{kind}.hdf5")
        with h5py.File(seeds[-1], "w") as file:
            file.create_dataset("images", data=images, **options)
            file["labels"], file["label_names"] = labels.astype(np.float64), ["cat", "dog"]
            file["paths"] = names
    seeds.append(folder / "virtual.hdf5")
    with h5py.File(seeds[-1], "w") as file:
        file["part"], file["labels"] = images, labels
        layout = h5py.VirtualLayout(images.shape, images.dtype)
        layout[:] = h5py.VirtualSource(".", "part", images.shape)
        file.create_virtual_dataset("images", layout)
    for kind, write in FOREIGN.items():
        seeds.append(folder / f"{kind}.hdf5")
        with h5py.File(seeds[-1], "w") as file:
            write(file, images, labels)
    return seeds


def write_columns(file, images, labels):  # type: ignore[no-untyped-def]
    file.create_dataset("X", data=images, chunks=(4, 8, 4, 1), compression="gzip")
    file["y"], file["label_names"] = np.eye(2)[labels], ["cat", "dog"]


def write_image_files(file, images, labels):  # type: ignore[no-untyped-def]
    file["label"] = np.bytes_(["cat", "dog"])[labels]
    files = file.create_dataset("image", (ROWS,), h5py.vlen_dtype(np.uint8))
    for i, image in enumerate(images):
        files[i] = cv2.imencode(".jpg", image)[1].ravel()


def write_groups(file, images, labels):  # type: ignore[no-untyped-def]
    for i, image in enumerate(images):
        file[f"{'ab'[labels[i]]}/{i}"] = image


def write_links(file, images, labels):  # type: ignore[no-untyped-def]
    file["raw/x"], file["labels"] = images / 255 - 0.5, labels[None]
    file["images"] = h5py.SoftLink("/raw/x")
    file.attrs["color_order"] = b"RGB"


def write_matlab(file, images, labels):  # type: ignore[no-untyped-def]
    file["X"], file["y"] = images.transpose(3, 2, 1, 0), labels[None] + 1.0
    for name in ("X", "y"):
        file[name].attrs["MATLAB_class"] = np.bytes_(b"double")


FOREIGN = {
    "columns": write_columns, "files": write_image_files, "groups": write_groups, "links": write_links,
    "matlab": write_matlab,
}  # fmt: skip


spoiling = st.lists(
    st.tuples(
        st.sampled_from(["bit", "byte", "field", "copy", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
        st.sampled_from(FIELDS),
    ),
    min_size=1,
    max_size=12,
)


def spoil(content: bytes, changes) -> bytes:  # type: ignore[no-untyped-def]
    """Change bytes that are not empty space, which is most of a small file."""
    spoiled = bytearray(content)
    places = np.flatnonzero(np.frombuffer(content, np.uint8))
    for how, where, other, value, field in changes:
        place = min(int(places[int(where * len(places))]), len(spoiled) - 1)
        if how == "bit":
            spoiled[place] ^= 1 << value % 8
        elif how == "byte":
            spoiled[place] = value
        elif how == "field":
            spoiled[place : place + 8] = struct.pack("<Q", field)
        elif how == "copy":
            source = int(other * len(spoiled))
            spoiled[place : place + value] = spoiled[source : source + value]
        elif value < 16:
            del spoiled[max(place, 1) :]
    return bytes(spoiled)


numbers = st.sampled_from(FIELDS).map(lambda n: np.uint64(n)) | st.integers(-(2**63), 2**63 - 1) | st.floats()
dtypes = st.sampled_from(
    ["i1", "<i8", ">i8", "u1", "u8", "f2", "f4", "f8", "S0", "S1", "S9", "?", "c8", h5py.string_dtype(),
     h5py.vlen_dtype(np.int32), h5py.ref_dtype, h5py.regionref_dtype, h5py.enum_dtype({"a": 1}),
     np.dtype([("a", "i4"), ("b", "f8")]), np.dtype("V7"), np.dtype(("i4", (2, 3)))]
)  # fmt: skip
shapes = st.lists(st.sampled_from([0, 1, 2, 3, 7, ROWS]), max_size=5).map(tuple)
arrays = st.tuples(dtypes, shapes)
values = st.one_of(
    numbers, st.text(), st.binary(), arrays,
    st.sampled_from(["pyimagesearch", "jpeg", "raw", "BGR", "RGB", True, 1, h5py.Empty("S1"), h5py.Empty("i8")]),
    st.lists(st.integers(-2, 2**31), min_size=1, max_size=4),
)  # fmt: skip


def make_up(file: h5py.File, attributes, datasets, huge, checked) -> None:  # type: ignore[no-untyped-def]
    """Replace attributes and datasets by others that h5py is willing to write."""
    for name, value in attributes.items():
        try:
            if isinstance(value, tuple):
                file.attrs.create(name, None, shape=value[1], dtype=value[0])
            else:
                file.attrs[name] = value
        except (AttributeError, TypeError, ValueError, OSError, KeyError, OverflowError):
            continue
    for name, (dtype, shape) in datasets.items():
        file.pop(name, None)
        try:
            options = {"chunks": (2,) * len(shape), "compression": "gzip"} if huge and shape and 0 not in shape else {}
            file.create_dataset(name, tuple(s * huge**4 for s in shape) if options else shape, dtype, **options)
        except (AttributeError, TypeError, ValueError, OSError, KeyError, OverflowError):
            continue
    if checked:  # somebody who knows the format
        try:
            file.attrs["checksum"] = metadata_checksum(file)
        except Exception:  # noqa: BLE001, RUF100 - an attribute that cannot be summed up
            return


def look(path: Path) -> list:
    """Return what every reader says of a file: its answer, or None for a clear error."""

    def rows() -> np.ndarray:
        sandbox.try_in_sandbox(path)  # also files that begin as ours do
        return read_rows(path)

    said = []
    for reader in (lambda: describe(path), lambda: damaged_rows(path), rows):
        try:
            said.append(reader())
        except UserError:
            said.append(None)
    return said


def read_rows(path: Path) -> np.ndarray:
    loader = BatchLoader(path, 5, threads=1)
    try:
        return loader.images(0, np.arange(min(loader.num_rows, 100)))
    finally:
        loader.close()


def blocks(path: Path) -> None:
    """Read a foreign file from end to end, as a conversion does."""
    plan = read_header(path).plan
    if plan and len(plan) < 1000:
        with PlannedRows(plan) as rows:
            for _ in rows.blocks():
                continue


def stop_of(path: Path) -> str:
    """Return what a process that opens a file unprotected ends by: "crash", "hang" or "".

    The limits are those of the helper process.
    """
    sys.stderr.flush()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        spent = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(spent.ru_utime + spent.ru_stime) + 1 + sandbox.LIMIT_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        signal.alarm(20)  # of the wall, should a lock of a thread be left that no fork carries over
        header.try_in_sandbox = lambda *_: None
        try:
            rows = open_rows(read_header(path))  # without threads
            rows.read([0])
        except Exception:  # noqa: BLE001, RUF100 - only the end of the process counts
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    how = {-signal.SIGXCPU: "hang", -signal.SIGKILL: "hang", -signal.SIGALRM: "lock"}
    return how.get(status, "crash" if status < 0 else "")


def memory(peak: bool) -> int:
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    name = "VmHWM" if peak else "VmRSS"
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def main(folder: Path, count: int) -> None:
    logging.getLogger("pyimagesearch").setLevel(logging.ERROR)
    cv2.setNumThreads(1)
    seeds, case = write_seeds(folder), folder / "case.hdf5"
    contents = [path.read_bytes() for path in seeds]
    right = {number: look(seeds[number])[2] for number in (0, 1)}
    tried, outcomes, stops, problems = 0, Counter(), Counter(), []

    def check(sound: np.ndarray | None, ours: bool) -> None:
        nonlocal tried
        tried += 1
        before, began = memory(False), time.monotonic()
        try:
            _, damaged, images = look(case)
            if images is not None:
                blocks(case)
        except UserError:
            outcomes["read in part"] += 1
            what = ""
        except Exception as error:  # noqa: BLE001, RUF100 - this is what must not be
            what = f"{type(error).__name__}: {error}"
        else:
            whole = damaged is not None and not len(damaged) and images is not None
            lied = whole and sound is not None and not np.array_equal(images, sound)
            outcomes["refused" if images is None else "read"] += 1
            what = "rows that are not right were read, and verified" if lied else ""
        seconds, swollen = time.monotonic() - began, memory(True) - before
        if seconds > MAX_SECONDS * max(1, os.getloadavg()[0] / len(os.sched_getaffinity(0))):
            what = f"{what} took {seconds:.1f} s"
        if swollen > MAX_BYTES:
            what = f"{what} took {swollen / 2**20:,.0f} MiB"
        stops[f"{stop_of(case)} of {'ours' if ours else 'others'}"] += 1
        if what:
            problems.append(what)
            os.link(case, folder / f"problem{len(problems)}.hdf5")

    quiet = settings(
        max_examples=max(1, count // 2), derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @quiet
    @given(st.integers(0, len(seeds) - 1), spoiling)
    def spoiled_bytes(number, changes):  # type: ignore[no-untyped-def]
        case.unlink(missing_ok=True)
        case.write_bytes(spoil(contents[number], changes))
        check(right.get(number), number in right)

    @quiet
    @given(
        st.integers(0, len(seeds) - 1),
        st.dictionaries(st.sampled_from(ATTRIBUTES), values, max_size=3),
        st.dictionaries(st.sampled_from(DATASETS), arrays, max_size=3),
        st.sampled_from([0, 0, 30]),
        st.booleans(),
    )
    def made_up_contents(number, attributes, datasets, huge, checked):  # type: ignore[no-untyped-def]
        case.unlink(missing_ok=True)
        case.write_bytes(contents[number])
        with h5py.File(case, "r+") as file:
            make_up(file, attributes, datasets, huge, checked)
        check(None, number in right)

    spoiled_bytes()
    made_up_contents()
    print(f"{outcomes['read']:,} read, {outcomes['refused']:,} refused", file=sys.stderr)
    print("opened unprotected:", dict(stops))
    print(tried, tried - len(problems), Counter(problems).most_common(20))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
