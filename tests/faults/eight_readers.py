"""Eight processes or threads that read shuffled batches of one file at once.

    python eight_readers.py FILE ENCODING fork|spawn|threads SECONDS

Every image shows its row's number. Prints how many rows were read, how many of them were wrong, and
how many readers came to their end.
"""

import multiprocessing
import sys
import threading
import time
from pathlib import Path

import numpy as np

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader

ROWS, SIDE, BITS = 200, 32, 8


def paint(row: int) -> np.ndarray:
    """Return an image of black and white stripes, one for each bit of ``row``; JPEG leaves them legible."""
    bits = row >> np.arange(BITS) & 1
    return np.repeat(bits, SIDE // BITS)[None, :, None].repeat(SIDE, 0).repeat(3, 2).astype(np.uint8) * 255


def numbers(images: np.ndarray) -> np.ndarray:
    """Return the numbers that images show."""
    stripes = images.reshape(len(images), SIDE, BITS, -1).mean(axis=(1, 3)) > 127
    return stripes @ (1 << np.arange(BITS))


def read(loader: BatchLoader, seconds: float, results) -> None:
    count = wrong = epoch = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end or epoch == 0:
        for batch in range(len(loader)):
            rows = loader.rows(epoch, batch)
            wrong += int((numbers(loader.batch(epoch, batch)) != rows).sum())
            count += len(rows)
        epoch += 1
    loader.close()
    results.put((count, wrong))


def main(path: Path, encoding: str, way: str, seconds: float) -> None:
    with HDF5DatasetWriter((ROWS, SIDE, SIDE, 3), path, encoding=encoding) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(np.stack([paint(row) for row in range(ROWS)]), np.arange(ROWS) % 2)
    loader = BatchLoader(path, 16, shuffle=True, dtype="uint8", threads=2)
    loader.batch(0, 0)  # it has threads and a map of its own when it is forked or pickled
    if way == "threads":
        import queue

        results = queue.Queue()
        loaders = [BatchLoader(path, 16, shuffle=True, seed=s, dtype="uint8", threads=2) for s in range(8)]
        readers = [threading.Thread(target=read, args=(one, seconds, results)) for one in loaders]
    else:
        context = multiprocessing.get_context(way)
        results = context.Queue()
        readers = [context.Process(target=read, args=(loader, seconds, results)) for _ in range(8)]
    for reader in readers:
        reader.start()
    counts = [results.get(timeout=seconds + 40) for _ in readers]
    for reader in readers:
        reader.join(timeout=20)
    loader.close()
    ended = sum(not reader.is_alive() for reader in readers)
    print(sum(count for count, _ in counts), sum(wrong for _, wrong in counts), ended)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]))
