import h5py
import numpy as np
import pytest

from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.foreign.rows import PlannedRows


@pytest.fixture
def make(tmp_path):
    """Return a function that writes datasets by their paths, and returns the file's path; options are of images."""

    def write(datasets, attributes=None, name="foreign.h5", **options):
        with h5py.File(tmp_path / name, "w") as file:
            for path, data in datasets.items():
                file.create_dataset(path, data=data, **(options if np.ndim(data) > 2 else {}))
            for path, values in (attributes or {}).items():
                file[path].attrs.update(values)
        return tmp_path / name

    return write


@pytest.fixture
def read():
    """Return a function that plans a file as told, reads all rows in order, and returns plan and rows."""

    def read_all(path, **told):
        plan = plan_file(path, Choices(**told))
        with PlannedRows(plan) as rows:
            blocks = np.concatenate([block for _, block in rows.blocks()])
            assert len(rows) == len(blocks)
            some = [len(rows) - 1, 0, 0, len(rows) // 2]
            np.testing.assert_array_equal(rows.read(some), blocks[some])
        return plan, blocks

    return read_all
