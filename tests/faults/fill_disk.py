"""Writes small files onto a disk that is full after some bytes, as far as the writer can tell.

    python fill_disk.py FOLDER ENCODING COUNT

Prints how many were tried, how many ended with an error that programs report, with the old file in
place and nothing beside it, and what the others did.
"""

import os
import random
import resource
import sys
from pathlib import Path

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter

ROWS, SHAPE = 12, (16, 16, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (ROWS, *SHAPE), np.uint8)
OLD = b"an older file"


def write(path: Path, encoding: str) -> None:
    with HDF5DatasetWriter((ROWS, *SHAPE), path, encoding=encoding, buf_size=2, overwrite=True) as writer:
        writer.store_class_labels(["cat", "dog"])
        for i in range(ROWS):
            writer.add(IMAGES[i : i + 1], [i % 2], [f"images/{i}.jpg"])


def outcome(path: Path, encoding: str, room: int) -> str:
    """Return what a writer raised that had room for so many bytes, from a process of its own."""
    said = path.with_name("said")
    child = os.fork()
    if not child:
        text = "nothing"
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            write(path, encoding)
        except (UserError, OSError):
            text = "reported"
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        said.write_text(text)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return f"status {status}" if status else said.read_text()


def main(folder: Path, encoding: str, count: int) -> None:
    chance, path = random.Random(encoding), folder / "data.hdf5"
    write(path, encoding)
    size = path.stat().st_size
    survived, problems = 0, set()
    for _ in range(count):
        path.write_bytes(OLD)
        room = chance.randrange(size)
        what = outcome(path, encoding, room)
        if path.read_bytes() != OLD:
            what += "; the old file is gone"
        if path.with_name("data.hdf5.partial").exists():
            what += "; an unfinished file is left"
        survived += what == "reported"
        if what != "reported":
            problems.add(what)
    print(count, survived, sorted(problems))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
