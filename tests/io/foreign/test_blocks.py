import threading

import h5py
import numpy as np
import pytest

from pyimagesearch.io.foreign.axes import Axes
from pyimagesearch.io.foreign.blocks import ArrayRows
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.foreign.rows import PlannedRows
from tests.io.foreign.pictures import classes, pictures

CHUNKS = [None, True, (1, 8, 6, 3), (7, 8, 6, 3), (100, 8, 6, 3), (10, 8, 6, 1), (30, 2, 3, 1)]


class Counting:
    """A dataset that counts the bytes which are asked of it."""

    def __init__(self, dataset):
        self._dataset, self.read = dataset, 0

    def __getattr__(self, name):
        return getattr(self._dataset, name)

    def __getitem__(self, place):
        block = self._dataset[place]
        self.read += block.nbytes
        return block


@pytest.fixture
def stored(tmp_path):
    """Return a function that stores images, and opens them as `ArrayRows`."""
    files = []

    def store(images, letters="nhwc", chunks=None, compression=None, **options):
        files.append(h5py.File(tmp_path / f"{len(files)}.h5", "w"))
        data = images.transpose(["nhwc".index(letter) for letter in letters])
        dataset = Counting(files[-1].create_dataset("X", data=data, chunks=chunks, compression=compression))
        return ArrayRows(dataset, Axes(letters), len(images), **options), dataset

    yield store
    for file in files:
        file.close()


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("chunks", CHUNKS)
def test_blocks_and_reads_give_the_rows(stored, chunks, compression):
    if compression and chunks is None:
        chunks = True
    images = pictures(100)
    rows, _ = stored(images, chunks=chunks, compression=compression)
    np.testing.assert_array_equal(np.concatenate([block for _, block in rows.blocks()]), images)
    np.testing.assert_array_equal(np.concatenate([block for _, block in rows.blocks(13, 58)]), images[13:58])
    for wanted in ([5], range(20, 60), [99, 0, 50, 50, 3], np.random.default_rng(0).permutation(100), []):
        np.testing.assert_array_equal(rows.read(wanted), images[list(wanted)] if len(wanted) else images[:0])


@pytest.mark.parametrize(
    ("letters", "chunks"), [("nhwc", (50, 2, 6, 1)), ("cwhn", (1, 6, 2, 50)), ("nchw", (60, 1, 8, 6))]
)
def test_bands_larger_than_the_memory_are_decoded_once_in_strips(stored, letters, chunks, tmp_path):
    images = pictures(130)
    rows, dataset = stored(images, letters, chunks, "gzip", memory_bytes=8000, scratch=tmp_path)
    starts, blocks = zip(*rows.blocks(), strict=True)
    np.testing.assert_array_equal(np.concatenate(blocks), images)
    assert starts[0] == 0
    assert dataset.read == images.nbytes


@pytest.mark.parametrize("chunks", [(7, 8, 6, 3), (10, 8, 6, 1), (30, 2, 3, 1), (100, 8, 6, 3)])
def test_every_chunk_is_decoded_once(stored, chunks):
    images = pictures(100)
    rows, dataset = stored(images, chunks=chunks, compression="gzip")
    list(rows.blocks())
    assert dataset.read == images.nbytes
    dataset.read = 0
    for start in range(0, 100, 9):
        rows.read(range(start, min(start + 9, 100)))
    rows.read(np.random.default_rng(0).permutation(100))
    assert dataset.read == images.nbytes


def test_the_cache_is_bounded(stored):
    images = pictures(100)
    rows, _ = stored(images, chunks=(10, 8, 6, 3), compression="gzip", cache_bytes=25 * 144)
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_array_equal(rows.read(order), images[order])
    assert sum(band.nbytes for band in rows._cache.values()) <= 25 * 144


def test_bands_larger_than_the_cache_are_read_directly(stored):
    images = pictures(100)
    rows, dataset = stored(images, chunks=(100, 8, 6, 3), compression="gzip", cache_bytes=1000)
    np.testing.assert_array_equal(rows.read([3, 4, 5, 90]), images[[3, 4, 5, 90]])
    assert dataset.read == 4 * 144


def test_rows_are_owned_by_whoever_receives_them(stored):
    images = pictures(100)
    rows, _ = stored(images, chunks=(10, 8, 6, 3), compression="gzip")
    rows.read(range(10))[:] = 0
    np.testing.assert_array_equal(rows.read(range(10)), images[:10])


def test_threads_read_what_one_reads(stored):
    images = pictures(100)
    rows, _ = stored(images, chunks=(10, 8, 6, 3), compression="gzip", cache_bytes=30 * 144)
    wrong = []

    def work(seed):
        order = np.random.default_rng(seed).permutation(100)
        wrong.extend([seed] * (not np.array_equal(rows.read(order), images[order])))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_slow_shuffling_is_said(make):
    path = make({"X": pictures(100), "y": classes(100)}, chunks=(50, 8, 6, 3), compression="gzip")
    with PlannedRows(plan_file(path)) as rows:
        assert rows.slow_when_shuffled() == ""
    with PlannedRows(plan_file(path), cache_bytes=1000) as rows:
        assert rows.slow_when_shuffled().startswith("each row of X shares its chunks with 49 others: in random order")


def test_an_unsettled_plan_is_not_read(make):
    plan = plan_file(make({"X": pictures() / 255, "y": classes()}), ask=False)
    with pytest.raises(ValueError, match=r"must be settled by Plan\.settle"):
        PlannedRows(plan)
