"""How does the cost grow with the number of images: 1,000 to 1,000,000 of them?

Each size in a process of its own. Reading: a shuffled epoch over a sparse file of 32 x 32 images. Building: tiny
JPEG files, of which 100 were drawn and the rest are links to them. Memory is what the process itself holds more
of (RssAnon), at most, than before.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

from . import _data, _measure

_SIDE = 32
_SIZES = (10**3, 10**4, 10**5, 10**6)
_DRAWN = 100

_PRELUDE = """
import json, sys, threading, time

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024

def highest(until):
    while not until.wait(0.02):
        most[0] = max(most[0], anonymous())

def measured(work, images):
    before = most[0] = anonymous()
    done = threading.Event()
    watch = threading.Thread(target=highest, args=(done,))
    watch.start()
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    done.set()
    watch.join()
    return result, {"us": seconds / images * 1e6, "seconds": seconds, "megabytes": max(most[0], anonymous()) - before}

most = [0.0]
path, n = sys.argv[1], int(sys.argv[2])
"""

_READ = """
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

steps = [PatchPreprocessor(28, 28), AugmentPreprocessor(horizontal_flip=True)]
loader, opened = measured(lambda: BatchLoader(path, 64, steps, shuffle=True, dtype="uint8"), n)
loader.batch(0, 0)
_, first = measured(lambda: loader.batch(1, 0), 1)

def epoch():
    for index in range(len(loader)):
        loader.batch(2, index)

_, read = measured(epoch, n)
print(json.dumps({"opened": opened, "first": first, "read": read}))
"""

_BUILD = """
from pathlib import Path
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.folder import label_from_name, list_image_folder
from pyimagesearch.building.splitbuilder import SplitBuilder
from pyimagesearch.building.splitting import split
from pyimagesearch.preprocessing import AspectAwarePreprocessor

split(list_image_folder(path, label_from_name).labels, 0.1, 0.1, 42)  # imports scikit-learn
images, listed = measured(lambda: list_image_folder(path, label_from_name), n)
names = ("train", "val", "test")
rows, shared_out = measured(lambda: split(images.labels, 0.1, 0.1, 42), n)
files = {name: Path(path).with_name(f"{name}.hdf5") for name in names}
resize = AspectAwarePreprocessor(32, 32)

def build():
    builder = SplitBuilder(images, dict(zip(names, rows)), resize, Decoding(3), fingerprints=True)
    builder.build(files, overwrite=True)

_, built = measured(build, n)
print(json.dumps({"listed": listed, "split": shared_out, "built": built}))
"""


def sparse_file(path: Path, n: int) -> Path:
    """Make a data set of ``n`` images; only its last row is on disk."""
    with h5py.File(path, "w") as file:
        images = file.create_dataset("images", (n, _SIDE, _SIDE, 3), np.uint8)
        images[n - 1] = 1
        file["labels"] = np.arange(n) % 2
    return path


def folder_of_links(folder: Path, n: int) -> Path:
    """Make a folder of ``n`` images, few of which take room."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(n):
        name = folder / f"{'cat' if i % 2 else 'dog'}.{i}.jpg"
        if i < _DRAWN:
            coarse = rng.integers(0, 255, (6, 6, 3)).astype(np.uint8)
            cv2.imwrite(str(name), cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC))
        elif not name.exists():
            os.link(folder / f"{'cat' if i % _DRAWN % 2 else 'dog'}.{i % _DRAWN}.jpg", name)
    return folder


def in_a_process(code: str, path: Path, n: int) -> dict[str, Any]:
    """Run ``code`` and return what it measured."""
    command = [sys.executable, "-c", _PRELUDE + code, str(path), str(n)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    with _data.setup(__doc__) as where:
        if not Path("/proc/self/status").exists():
            _measure.skip("cost against the number of images", "only Linux tells the memory, in /proc")
            return
        for n in _SIZES:
            path = sparse_file(where.work / "sparse.hdf5", n)
            read = in_a_process(_READ, path, n)
            path.unlink()
            began = time.monotonic()
            built = in_a_process(_BUILD, folder_of_links(where.work / "links", n), n)
            print(f"  {n:,} images: {time.monotonic() - began:.0f} s with the making of their files", flush=True)
            for question, costs, field, unit in (
                ("open the file", read["opened"], "seconds", "s"),
                ("first batch of an epoch", read["first"], "seconds", "s"),
                ("read an epoch", read["read"], "us", "us an image"),
                ("memory of an open file", read["opened"], "megabytes", "MB"),
                ("memory of an epoch", read["read"], "megabytes", "MB more"),
                ("list a folder", built["listed"], "us", "us an image"),
                ("split", built["split"], "us", "us an image"),
                ("build", built["built"], "us", "us an image"),
                ("memory of a list", built["listed"], "megabytes", "MB"),
                ("memory of a build", built["built"], "megabytes", "MB more"),
            ):
                _measure.report_value(f"{question}, {n:,} images", "one process", [costs[field]], unit)


if __name__ == "__main__":
    main()
