"""Reads shuffled batches of a file for some time, and watches what that takes of the machine.

    python read_long.py FILE ENCODING SECONDS

Prints as JSON: bytes of memory of the process's own, open files and threads, before, warm, at most, after.
"""

import gc
import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.preprocessing import MeanPreprocessor, PatchPreprocessor

ROWS, SIDE, BATCH = 512, 64, 4  # small batches: one more of them in reserve is no growth to speak of


def memory() -> int:
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def main(path: Path, encoding: str, seconds: float) -> None:
    rng = np.random.default_rng(0)
    with HDF5DatasetWriter((ROWS, SIDE, SIDE, 3), path, encoding=encoding) as writer:
        writer.store_class_labels(["cat", "dog"])
        for i in range(ROWS):
            writer.add(rng.integers(0, 256, (1, SIDE, SIDE, 3), np.uint8), [i % 2])
    found = {"handles_before": handles(), "threads_before": threading.active_count()}
    loader = BatchLoader(path, BATCH, [PatchPreprocessor(56, 56), MeanPreprocessor(1, 2, 3)], shuffle=True, threads=2)
    epoch = batches = 0

    def read_epoch() -> None:
        nonlocal epoch, batches
        for batch in range(len(loader)):
            loader.batch(epoch, batch)
            batches += 1
        epoch += 1

    warm = time.monotonic() + max(1, seconds / 4)
    while time.monotonic() < warm or epoch < 3:
        read_epoch()
    found |= {"memory_warm": memory(), "handles_warm": handles(), "threads_warm": threading.active_count()}
    most_handles = most_threads = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end or epoch < 6:
        read_epoch()
        most_handles, most_threads = max(most_handles, handles()), max(most_threads, threading.active_count())
    found |= {"memory_end": memory(), "handles_most": most_handles, "threads_most": most_threads}
    loader.close()
    gc.collect()
    found |= {"handles_after": handles(), "threads_after": threading.active_count(), "batches": batches}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
