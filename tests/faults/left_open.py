"""Ends with loaders in use, as a program does whose author forgot to close them.

    python left_open.py FILE

Prints how many threads there are before the end.
"""

import sys
import threading
from pathlib import Path

import numpy as np

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader


def main(path: Path) -> None:
    with HDF5DatasetWriter((64, 48, 48, 3), path) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(np.zeros((64, 48, 48, 3), np.uint8), np.arange(64) % 2)
    left = [BatchLoader(path, 8, shuffle=True, threads=2) for _ in range(3)]
    for loader in left:
        loader.batch(0, 0)  # the next ones are being read from now on
    print(threading.active_count(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
