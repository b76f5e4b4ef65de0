"""Does the memory of a reader grow with its file?

One shuffled epoch over 40 MB and over 4 GB, each in a process of its own. What counts is RssAnon, the
memory that the process itself holds; pages of the mapped file belong to the page cache, which the
kernel takes back at will. The files are sparse: they need no room on disk.
"""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

from . import _data, _measure

_SHAPE = (256, 256, 3)
_SMALL, _LARGE = 40 * 10**6, 4 * 10**9
_QUESTION = "resident memory: 4 GB file over 40 MB file"

_EPOCH = """
import sys
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

steps = [PatchPreprocessor(227, 227), AugmentPreprocessor(horizontal_flip=True)]
loader, highest = BatchLoader(sys.argv[1], 64, steps, shuffle=True, dtype="uint8"), 0
for i in range(len(loader)):
    images = loader.batch(0, i)
    highest = max(highest, anonymous())
print(highest / 1024)
"""


def write_sparse(path: Path, size: int) -> None:
    """Make a data set of ``size`` bytes; only its last row is on disk."""
    n = size // int(np.prod(_SHAPE))
    with h5py.File(path, "w") as file:
        images = file.create_dataset("images", (n, *_SHAPE), np.uint8)
        images[n - 1] = 1
        file["labels"] = np.arange(n) % 2


def megabytes(path: Path) -> float:
    """Return the highest RssAnon of a process that reads an epoch."""
    done = subprocess.run([sys.executable, "-c", _EPOCH, str(path)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    with _data.setup(__doc__) as where:
        if not Path("/proc/self/status").exists():
            _measure.skip(_QUESTION, "only Linux tells it, in /proc")
            return
        small, large = where.work / "small.hdf5", where.work / "large.hdf5"
        write_sparse(small, _SMALL)
        write_sparse(large, _LARGE)
        added = []
        for _ in range(min(where.rounds, 3)):
            little, much = megabytes(small), megabytes(large)
            print(f"  RssAnon: {little:,.0f} MB with 40 MB, {much:,.0f} MB with 4 GB", flush=True)
            added.append(much - little)
        _measure.report_value(_QUESTION, "a shuffled epoch", added, "MB more", at_most=200)
        small.unlink()
        large.unlink()


if __name__ == "__main__":
    main()
