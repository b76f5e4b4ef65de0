"""A small file, as the tests of the writer write it."""

import os

import numpy as np

from pyimagesearch.io import HDF5DatasetWriter
from tests.io.provenance import with_provenance

N = 7
PATHS = [f"train/cat.{i}.jpg" for i in range(N - 1)] + ["train/dög.6.jpg"]
LABELS = np.array([0, 1, 1, 0, 1, 0, 1])


def write(path, rows, paths=PATHS, **options):
    with HDF5DatasetWriter(rows.shape, path, **with_provenance(options)) as writer:
        writer.add(rows, LABELS, paths)
        writer.store_class_labels(["cat", "dög"])
    return path


def files(folder):
    return sorted(os.listdir(folder))
