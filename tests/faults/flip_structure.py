"""Flips single bits of an HDF5 file outside its rows, and reads and verifies the result.

    python flip_structure.py FILE COUNT

Prints how many were tried, how many ended in a clear error or in right rows, and what the others did. A crash of
the HDF5 library would end this process too.
"""

import random
import sys
import time
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.sandbox import try_in_sandbox
from pyimagesearch.io.inspection import damaged_rows, describe

MAX_SECONDS = 20  # of the wall, on a busy machine; a hang is ended after 2 seconds of processor time


def read_all(path: Path) -> np.ndarray:
    try_in_sandbox(path)
    loader = BatchLoader(path, 1000, dtype="uint8", threads=1)
    images = loader.images(0, np.arange(loader.num_rows))
    loader.close()
    return images


def structure(path: Path) -> np.ndarray:
    """Return the places of all bytes that are not those of rows and not empty space."""
    with h5py.File(path) as file:
        rows = file["jpeg" if "jpeg" in file else "images"]
        begin, end = rows.id.get_offset(), rows.id.get_offset() + rows.nbytes
    content = np.frombuffer(path.read_bytes(), np.uint8)
    places = np.flatnonzero(content)
    return places[(places < begin) | (places >= end)]


def check(path: Path, right: np.ndarray) -> str:
    said = []
    for look in (describe, damaged_rows, read_all):
        try:
            said.append(look(path))
        except UserError:
            said.append(None)
    _, damaged, images = said
    if images is not None and images.shape == right.shape and (images == right).all():
        return "fine"
    if images is None or damaged is None or len(damaged):
        return "fine"
    return "rows that are not right were read, and verified"


def main(path: Path, count: int) -> None:
    whole, right, places = path.read_bytes(), read_all(path), structure(path)
    chance = random.Random(5)
    survived, problems = 0, set()
    for _ in range(count):
        place, bit = int(chance.choice(places)), chance.randrange(8)
        content = bytearray(whole)
        content[place] ^= 1 << bit
        path.unlink()  # the same file, changed within a tick of the clock, would seem unchanged
        path.write_bytes(content)
        began = time.monotonic()
        try:
            what = check(path, right)
        except Exception as error:  # noqa: BLE001, RUF100 - this is what must not be
            what = f"{type(error).__name__}: {error}"
        if time.monotonic() - began > MAX_SECONDS:
            what = f"{what}, after {time.monotonic() - began:.0f} s"
        survived += what == "fine"
        if what != "fine":
            problems.add(f"bit {bit} of byte {place}: {what}")
    print(count, survived, sorted(problems))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
