"""Flips single bits of an HDF5 file outside its rows, and reads and verifies the result.

    python flip_structure.py FILE COUNT

Every flip has a process of its own with 10 seconds. Prints how many were tried, how many ended in a
clear error or in right rows, and what the others did.
"""

import os
import random
import signal
import sys
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batchloader import BatchLoader
from pyimagesearch.io.inspection import damaged_rows, describe


def read_all(path: Path) -> np.ndarray:
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
    survived, problems, said = 0, set(), path.with_name("said")
    for _ in range(count):
        place, bit = int(chance.choice(places)), chance.randrange(8)
        content = bytearray(whole)
        content[place] ^= 1 << bit
        path.write_bytes(content)
        child = os.fork()
        if not child:
            signal.alarm(10)
            try:
                what = check(path, right)
            except BaseException as error:
                what = f"{type(error).__name__}: {error}"
            said.write_text(what)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        what = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else said.read_text()
        survived += what == "fine"
        if what != "fine":
            problems.add(f"bit {bit} of byte {place}: {what}")
    print(count, survived, sorted(problems))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
