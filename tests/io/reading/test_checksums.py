import zlib

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.reading.checksums import ChecksummedReader


@pytest.fixture(params=["raw", "jpeg"])
def path(request, write_dataset, numbered_images):
    return write_dataset(numbered_images(5), encoding=request.param, paths=[f"{i}.jpg" for i in range(5)])


def test_rows_are_read_as_they_lie_on_disk(path):
    reader = ChecksummedReader(read_header(path))
    rows = list(reader.read(1, 4))
    with h5py.File(path) as file:
        blob = file["jpeg" if "jpeg" in file else "images"][:].tobytes()
        sums = file["channel_sums"][1:4].tolist()
    for row, expected in zip(rows, sums, strict=True):
        assert bytes(row.data) in blob
        assert row.checksum == zlib.crc32(row.data)
        assert list(row.sums) == expected
    assert (len(reader), reader.paths[3]) == (5, b"3.jpg")
    assert all(reader.is_intact(index, row) for index, row in enumerate(rows, 1))
    assert not reader.is_intact(2, rows[0])
    reader.close()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("checksums", np.zeros(4, np.uint32), "checksums must be one number for each row"),
        ("channel_sums", np.zeros((5, 3)), "channel_sums must have one row for each row"),
        ("paths", np.arange(5), "paths must be one text for each row"),
    ],
)
def test_columns_that_do_not_fit_are_damage(path, name, content, message):
    header = read_header(path)
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = content
    with pytest.raises(UserError, match=f"is damaged, .*{message}"):
        ChecksummedReader(header)
