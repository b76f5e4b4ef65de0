import os

import h5py
import numpy as np
import pytest

from pyimagesearch.io.conversion import convert
from pyimagesearch.io.format.layout import DATASETS, allocate, utf8, write_strings


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "features"])
def test_all_datasets_that_we_write_are_listed(write_dataset, numbered_images, tmp_path, encoding):
    """The list is what the sandbox tries, and all that is ever opened."""
    rows = np.ones((6, 3), np.float32) if encoding == "features" else numbered_images(6)
    options = {} if encoding == "features" else {"encoding": encoding}
    path = write_dataset(rows, paths=[f"{i}.jpg" for i in range(6)], **options)
    convert(path, tmp_path / "split.hdf5", shards=2)
    for each in (path, tmp_path / "split.hdf5"):
        with h5py.File(each) as file:
            assert set(file) <= set(DATASETS)


def test_allocated_datasets_have_their_place_at_once(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        offset = allocate(file, "labels", (7,), np.int64)
        assert (offset, file["labels"].chunks) == (file["labels"].id.get_offset(), None)


def test_equal_strings_make_equal_files_and_odd_names_are_escaped(tmp_path):
    for name in ("a.hdf5", "b.hdf5"):
        with h5py.File(tmp_path / name, "w") as file:
            write_strings(file, "paths", ["cat/1.jpg", "dög.jpg", os.fsdecode(b"caf\xe9.jpg"), ""])
            assert file["paths"].asstr()[:].tolist() == ["cat/1.jpg", "dög.jpg", "caf\\udce9.jpg", ""]
    assert (tmp_path / "a.hdf5").read_bytes() == (tmp_path / "b.hdf5").read_bytes()
    assert utf8("dög") == "dög".encode()
