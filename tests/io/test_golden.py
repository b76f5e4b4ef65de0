"""Files that an earlier version wrote are read, verified, described and converted."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.conversion import convert
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.inspection import damaged_rows, describe
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.io.reading.rows import open_rows

GOLDEN = Path(__file__).parent / "golden"
LABELS = [0, 1, 0, 1, 2, 2]
PATHS = ["cat/0.jpg", "dog/1.jpg", "cat/2.jpg", "dog/3.jpg", "bird ü/4.jpg", "bird ü/5.jpg"]


def drawn_images():
    y, x = np.mgrid[:8, :8]
    channels = [((16 * i + 8 * x + 3 * y), (255 - 8 * x - 5 * i), (y * 20 + i * 11)) for i in range(6)]
    return (np.stack([np.stack(each, -1) for each in channels]) % 256).astype(np.uint8)


@pytest.fixture(params=["raw", "jpeg"])
def path(request):
    return GOLDEN / f"{request.param}.hdf5"


def check_rows(path):
    rows = open_rows(read_header(path))
    difference = np.abs(np.stack(rows.read(range(6))).astype(int) - drawn_images())
    rows.close()
    assert difference.mean() < (5 if "jpeg" in path.name else 1e-9)


def test_it_is_read(path):
    header = read_header(path)
    assert (header.shape, header.labels.tolist(), header.label_names) == (
        (6, 8, 8, 3),
        LABELS,
        ["cat", "dog", "bird ü"],
    )
    assert (header.color_order, header.build, header.encoding) == ("BGR", "0123456789abcdef", path.stem)
    assert header.provenance.history == "drawn for the tests"
    assert read_row_paths(header) == PATHS
    check_rows(path)
    loader = BatchLoader(path, 4, shuffle=True, dtype="uint8")
    assert sorted(np.concatenate([loader.rows(0, i) for i in range(2)])) == list(range(6))
    loader.close()


def test_it_is_verified_and_described(path):
    with h5py.File(path) as file:
        assert file.attrs["complete"].dtype == bool  # which newer files do not have
    assert damaged_rows(path).tolist() == []
    facts = describe(path)
    assert facts["complete"] == "yes"
    assert facts["made by"] == "pyimagesearch 0.1.0; format 1"
    assert facts["classes"] == "3: cat 2, dog 2, bird ü 2"
    assert "warning" not in facts


def test_it_is_converted_split_and_merged(path, tmp_path):
    convert(path, tmp_path / f"{path.name}.copy.hdf5", encoding=path.stem, quality=100)
    check_rows(tmp_path / f"{path.name}.copy.hdf5")
    convert(path, tmp_path / "split.hdf5", shards=3)
    convert(tmp_path / "split.hdf5", tmp_path / "merged.hdf5", shards=1)
    assert damaged_rows(tmp_path / "merged.hdf5").tolist() == []
    before, after = read_header(path), read_header(tmp_path / "merged.hdf5")
    assert after.provenance == before.provenance
    assert read_row_paths(after) == PATHS
    for name in ("images",) if path.stem == "raw" else ("jpeg", "jpeg_ends"):
        with h5py.File(path) as old, h5py.File(tmp_path / "merged.hdf5") as new:
            np.testing.assert_array_equal(old[name][:], new[name][:])
            assert old.attrs["checksum"] == new.attrs["checksum"]
