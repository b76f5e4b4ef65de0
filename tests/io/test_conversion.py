"""python -m pyimagesearch.io on data sets in several files: describes, verifies, splits and merges them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter, conversion
from pyimagesearch.io.__main__ import main
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.inspection import damaged_rows, describe
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.io.shards.names import shard_path
from tests.io.provenance import with_provenance

ROWS = 150
ROOT = Path(__file__).resolve().parents[2]

SPLIT_AND_DIE = """
import os, signal, sys
from pyimagesearch.io.shards import uniting
from pyimagesearch.io.__main__ import main
def publish_and_die(partial, path, locked=None):
    os.replace(partial, path)
    os.kill(os.getpid(), signal.SIGKILL)
uniting.publish = publish_and_die
main(sys.argv[1:])
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def shards_of(count, name="out"):
    return [f"{name}-{i:05d}-of-{count:05d}.hdf5" for i in range(count)]


@pytest.fixture
def images():
    coarse = np.random.default_rng(0).integers(0, 256, (ROWS, 3, 3, 3), dtype=np.uint8)
    return np.stack([cv2.resize(image, (12, 16)) for image in coarse])


@pytest.fixture(params=["raw", "jpeg", "features"])
def data(request, tmp_path, images):
    path = tmp_path / "data.hdf5"
    rows, options = images, {"encoding": request.param, "color_order": "RGB", "quality": 77}
    if request.param == "features":
        rows, options = images.reshape(ROWS, -1).astype(np.float16), {"data_key": "features", "dtype": "float16"}
        options["recipe"] = "{}"
    options |= {"history": "drawn", "build": "b", "libraries": "{}"}
    with HDF5DatasetWriter(rows.shape, path, **with_provenance(options)) as writer:
        writer.store_class_labels(["cat", "dog", "panda"])
        writer.add(rows, np.arange(ROWS) % 3, [f"{'ö' * (i % 7)}{i}.jpg" for i in range(ROWS)])
    return path


@pytest.fixture
def split(data):
    main([str(data), "--convert", str(data.with_name("out.hdf5")), "--shards", "4"])
    return data.with_name("out.hdf5")


class TestSplittingAndMerging:
    def test_what_is_merged_again_is_the_same_file(self, data, split, tmp_path):
        merged = tmp_path / "merged.hdf5"
        main([str(split), "--convert", str(merged), "--shards", "1"])
        assert merged.read_bytes() == data.read_bytes()

    def test_so_is_what_took_a_detour(self, data, split, tmp_path):
        for count in ("7", "4"):
            (tmp_path / count).mkdir()
        main([str(split), "--convert", str(tmp_path / "7/out.hdf5"), "--shards", "7"])
        main([str(tmp_path / "7/out.hdf5"), "--convert", str(tmp_path / "4/out.hdf5"), "--shards", "4"])
        for name in ("out.hdf5", *shards_of(4)):
            assert (tmp_path / "4" / name).read_bytes() == (tmp_path / name).read_bytes()

    def test_the_parts_hold_the_whole(self, data, split):
        whole, parts = read_header(data), read_header(split)
        assert [shard.shape[0] for shard in parts.shards] == [38, 38, 37, 37]
        np.testing.assert_array_equal(open_rows(parts).read(range(ROWS)), open_rows(whole).read(range(ROWS)))

    def test_in_place(self, data, tmp_path):
        before = data.read_bytes()
        with pytest.raises(UserError, match=r"output: .*data\.hdf5 exists"):
            main([str(data), "--convert", str(data), "--shards", "3"])
        main([str(data), "--convert", str(data), "--shards", "3", "--force"])
        main([str(data), "--convert", str(data), "--shards", "2", "--force"])
        assert names(tmp_path) == sorted(["data.hdf5", *shards_of(2, "data")])
        main([str(data), "--convert", str(data), "--shards", "1", "--force"])
        assert names(tmp_path) == ["data.hdf5"]
        assert data.read_bytes() == before

    def test_more_shards_than_rows(self, tmp_path, images):
        with HDF5DatasetWriter((2, 16, 12, 3), tmp_path / "two.hdf5") as writer:
            writer.add(images[:2], [0, 1])
        main([str(tmp_path / "two.hdf5"), "--convert", str(tmp_path / "out.hdf5"), "--shards", "9"])
        assert names(tmp_path) == sorted(["two.hdf5", "out.hdf5", *shards_of(2)])

    @pytest.mark.parametrize("data", ["raw"], indirect=True)
    @pytest.mark.parametrize("options", [["--encoding", "jpeg"], ["--encoding", "jpeg", "--quality", "50"]])
    def test_another_encoding(self, data, images, tmp_path, options):
        target = tmp_path / "out.hdf5"
        main([str(data), "--convert", str(target), "--shards", "2", *options])
        header = read_header(target)
        assert (header.encoding, header.color_order, header.build) == ("jpeg", "RGB", "b")
        assert np.abs(np.stack(open_rows(header).read(range(ROWS))).astype(int) - images).mean() < 12
        assert f"quality {options[-1] if '--quality' in options else 90}" in describe(target)["encoding"]

    @pytest.mark.parametrize("data", ["features"], indirect=True)
    def test_another_dtype(self, data, tmp_path):
        main([str(data), "--convert", str(tmp_path / "out.hdf5"), "--shards", "2", "--dtype", "float32"])
        header = read_header(tmp_path / "out.hdf5")
        assert (header.dtype, header.recipe) == (np.float32, "{}")

    def test_the_book_s_name_of_features_is_kept(self, tmp_path):
        with HDF5DatasetWriter((4, 3), tmp_path / "data.hdf5", "feature") as writer:
            writer.add(np.ones((4, 3)), [0, 1, 0, 1])
        main([str(tmp_path / "data.hdf5"), "--convert", str(tmp_path / "out.hdf5"), "--shards", "2"])
        assert read_header(tmp_path / "out.hdf5").key == "feature"
        with h5py.File(tmp_path / "out.hdf5") as file:
            assert file["feature"][:].tolist() == [[1, 1, 1]] * 4

    def test_files_of_other_makers_are_split_as_well(self, tmp_path, images):
        with h5py.File(tmp_path / "foreign.hdf5", "w") as file:
            file["images"], file["labels"] = images.astype(np.float64), np.arange(ROWS) % 2
        main([str(tmp_path / "foreign.hdf5"), "--convert", str(tmp_path / "out.hdf5"), "--shards", "3"])
        header = read_header(tmp_path / "out.hdf5")
        assert (header.dtype, len(header.shards)) == (np.uint8, 3)
        np.testing.assert_array_equal(open_rows(header).read(range(ROWS)), images)


class TestFailures:
    @pytest.mark.parametrize("data", ["raw", "jpeg"], indirect=True)
    def test_a_damaged_row_is_not_copied(self, data, tmp_path):
        with h5py.File(data, "r+") as file:
            file["labels"][70] += 1
        with pytest.raises(
            UserError, match=r"data set: every row that is copied must be what was written; row 70 of .*data\.hdf5 is"
        ):
            main([str(data), "--convert", str(tmp_path / "out.hdf5"), "--shards", "3"])
        assert names(tmp_path) == ["data.hdf5"]

    @pytest.mark.parametrize("data", ["raw"], indirect=True)
    @pytest.mark.parametrize("failure", [OSError("the disk is full"), KeyboardInterrupt()])
    def test_nothing_is_left_of_what_failed(self, data, tmp_path, monkeypatch, failure):
        def fail(*_):
            raise failure

        before = data.read_bytes()
        monkeypatch.setattr(conversion, "publish_set", fail)
        with pytest.raises(type(failure)):
            main([str(data), "--convert", str(data), "--shards", "3", "--force"])
        assert names(tmp_path) == ["data.hdf5"]
        assert data.read_bytes() == before

    @pytest.mark.parametrize("data", ["raw"], indirect=True)
    def test_killed_between_two_names_the_old_set_is_whole(self, data, tmp_path):
        before = data.read_bytes()
        command = [str(data), "--convert", str(data), "--shards", "3", "--force"]
        killed = subprocess.run([sys.executable, "-c", SPLIT_AND_DIE, *command], cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert data.read_bytes() == before
        main(command)
        assert names(tmp_path) == sorted(["data.hdf5", *shards_of(3, "data")])
        assert damaged_rows(data).tolist() == []

    def test_shards_go_with_convert(self, data):
        with pytest.raises(
            UserError, match=r"--shards: is the number of files that --convert OUT makes; received 3 alone"
        ):
            main([str(data), "--shards", "3"])


class TestLooking:
    def test_it_tells_the_shards_and_their_rows(self, data, split):
        facts, whole = describe(split), describe(data)
        assert facts["shards"] == (
            "4, with rows: out-00000-of-00004.hdf5 38, out-00001-of-00004.hdf5 38, "
            "out-00002-of-00004.hdf5 37, out-00003-of-00004.hdf5 37"
        )
        assert facts["layout"] == "4 shards, memory-mapped"
        same = facts.keys() - {"shards", "layout", "size"}
        assert {topic: facts[topic] for topic in same} == {topic: whole[topic] for topic in same}

    @pytest.mark.parametrize("data", ["raw"], indirect=True)
    def test_a_shard_says_which_it_is(self, split):
        assert describe(shard_path(split, 2, 4))["shards"] == "this is shard 2 of 4, counted from 0"

    def test_all_rows_of_all_shards_are_verified(self, split, capsys):
        result = main([str(split), "--verify"])
        assert result[str(split)]["verified"] == "every row is what was written"
        with h5py.File(shard_path(split, 1, 4), "r+") as file:
            file["labels"][7] += 1
        with h5py.File(shard_path(split, 3, 4), "r+") as file:
            file["paths"][36] = b"other"
        assert damaged_rows(split).tolist() == [45, 149]
        message = r"rows 45 \(row 7 of out-00001-of-00004\.hdf5\), 149 \(row 36 of out-00003-of-00004\.hdf5\); build"
        with pytest.raises(UserError, match=message):
            main([str(split), "--verify"])
        capsys.readouterr()
        result = main([str(split), "--json"])
        assert json.loads(capsys.readouterr().out) == result
