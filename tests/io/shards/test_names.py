import os
import sys

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.shards.names import files_of_set, remove_stale, shard_path, shard_paths, shard_ranges
from tests.io.shards.sharded import names, shards_of


class TestNames:
    def test_a_shard_says_its_number_and_how_many_there_are(self, tmp_path):
        assert shard_path(tmp_path / "a.b.hdf5", 3, 16) == tmp_path / "a.b-00003-of-00016.hdf5"

    def test_one_shard_is_the_file_itself(self):
        assert [str(path) for path in shard_paths("train.hdf5", 1)] == ["train.hdf5"]

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems have Unicode names alone")
    def test_hdf5_needs_names_in_unicode(self):
        path = os.fsdecode(b"caf\xe9.hdf5")
        assert os.fspath(shard_path(path, 0, 1)) == path
        with pytest.raises(
            UserError, match=r"output: .* must have a name in Unicode, by which HDF5 finds shards; rename"
        ):
            shard_path(path, 0, 3)


class TestRanges:
    @pytest.mark.parametrize(
        ("rows", "count", "multiple", "ranges"),
        [
            (10, 1, 1, [(0, 10)]),
            (10, 3, 1, [(0, 4), (4, 7), (7, 10)]),
            (3, 8, 1, [(0, 1), (1, 2), (2, 3)]),
            (10, 3, 4, [(0, 4), (4, 8), (8, 10)]),
            (100, 3, 16, [(0, 48), (48, 80), (80, 100)]),
            (5, 3, 8, [(0, 5)]),
            (0, 3, 1, []),
        ],
    )
    def test_they_are_as_equal_as_can_be(self, rows, count, multiple, ranges):
        assert shard_ranges(rows, count, multiple) == ranges

    def test_they_cover_all_rows_at_any_size(self, rng):
        for rows, count, multiple in rng.integers(1, 200, (200, 3)).tolist():
            ranges = shard_ranges(rows, count, multiple)
            assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
            assert ranges[-1][1] == rows
            assert all(start < stop and start % multiple == 0 for start, stop in ranges)


class TestFiles:
    def test_stale_shards_are_those_of_other_counts(self, write_set, tmp_path):
        path = write_set(3)
        write_set(2, publish=False)
        write_set(2, "train-b.hdf5")
        assert [each.name for each in remove_stale(path, 3)] == [f"{name}.partial" for name in shards_of(2)]
        assert names(tmp_path) == sorted(["train.hdf5", *shards_of(3), "train-b.hdf5", *shards_of(2, "train-b")])

    def test_its_files_are_listed(self, write_set, tmp_path):
        path, other = write_set(3), write_set(1, "other.hdf5")
        assert [file.name for file in files_of_set(path)] == ["train.hdf5", *shards_of(3)]
        assert files_of_set(other) == [other]
        assert files_of_set(tmp_path / "none.hdf5") == []
