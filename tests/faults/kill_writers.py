"""Kills writers of small files at random moments, resumes them, and compares what they make.

    python kill_writers.py FOLDER ENCODING COUNT

Prints how many were killed, how many of them ended right, and what went wrong with the others.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header

ROWS, SHAPE = 12, (16, 16, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (ROWS, *SHAPE), np.uint8)
LABELS, PATHS = np.arange(ROWS) % 2, [f"images/{i}.jpg" for i in range(ROWS)]


def write(path: Path, encoding: str) -> None:
    writer = HDF5DatasetWriter((ROWS, *SHAPE), path, encoding=encoding, buf_size=2, resume=True, overwrite=True)
    writer.store_class_labels(["cat", "dog"])
    writer.recover(LABELS, PATHS)
    for i in range(writer.rows_added, ROWS):
        writer.add(IMAGES[i : i + 1], LABELS[i : i + 1], PATHS[i : i + 1])
    writer.close()


def in_child(path: Path, encoding: str) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        write(path, encoding)
        code = 0
    except BaseException as error:
        (path.parent / "error").write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def main(folder: Path, encoding: str, count: int) -> None:
    write(folder / "unbroken.hdf5", encoding)
    expected = (folder / "unbroken.hdf5").read_bytes()
    chance, path = random.Random(encoding), folder / "data.hdf5"
    began = time.perf_counter()
    for _ in range(5):
        os.waitpid(in_child(path, encoding), 0)
        path.unlink()
    duration = (time.perf_counter() - began) / 5
    tried = survived = waiting = rounds = 0
    problems = []
    while tried < count and rounds < 20 * count:
        rounds += 1
        child = in_child(path, encoding)
        moment = time.perf_counter() + chance.uniform(0, 1.1 * duration)
        while time.perf_counter() < moment:
            pass
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        tried += killed
        waiting += killed
        if path.exists():
            right = read_header(path).shape[0] == ROWS and path.read_bytes() == expected
            survived += waiting * right
            if not right:
                problems.append("other bytes")
            path.unlink()
            waiting = 0
        elif not killed:
            problems.append((folder / "error").read_text())
            Path(f"{path}.partial").unlink(missing_ok=True)
            waiting = 0
    write(path, encoding)
    survived += waiting * (path.read_bytes() == expected)
    print(tried, survived, sorted(set(problems)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
