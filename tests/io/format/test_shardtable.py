import zlib

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.shardtable import ShardEntry, is_united, read_table, write_table

SHARDS = [ShardEntry("train-00000-of-00002.hdf5", 3, 2**32 - 1, 7), ShardEntry("dög.hdf5", 2, 0, 2**32 - 1)]


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "train.hdf5", "w") as file:
        write_table(file, SHARDS)
        yield file


def test_the_table_is_read_as_it_was_written(file):
    assert is_united(file)
    assert read_table(file) == SHARDS
    file.attrs["shard"] = 1
    assert not is_united(file)


@pytest.mark.parametrize("change", ["rows", "count", "checksum", "type", "gone"])
def test_another_table_is_damage(file, change):
    table = file["shards"][:]
    if change == "rows":
        table["rows"][0] = 4
        file["shards"][:] = table
    elif change == "count":
        file.attrs["shards"] = 3
    elif change == "checksum":
        file.attrs["shards_checksum"] = 0
    else:
        del file["shards"]
        if change == "type":
            table = np.zeros(2, [(name, "f8") for name in table.dtype.names])
            file["shards"] = table
            file.attrs["shards_checksum"] = zlib.crc32(table.tobytes())
    with pytest.raises(UserError, match="its table of shards is not what was written"):
        read_table(file)
