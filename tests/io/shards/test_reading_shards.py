import itertools
import pickle
import resource
import shutil
import subprocess
import sys

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.header import Provenance
from pyimagesearch.io.reading.columns import read_channel_means
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.io.shards.names import shard_path
from pyimagesearch.predicting.predictionsfile import read_paths
from pyimagesearch.preprocessing import PatchPreprocessor
from tests.io.shards.sharded import ROWS, shards_of


class TestReading:
    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    @pytest.mark.parametrize("count", [2, 3, ROWS])
    def test_everything_is_as_in_one_file(self, write_set, encoding, count):
        one, several = (write_set(n, f"{n}.hdf5", encoding=encoding) for n in (1, count))
        whole, united = read_header(one), read_header(several)
        assert united.labels.tolist() == whole.labels.tolist()
        for field in ("key", "encoding", "shape", "dtype", "label_names", "color_order", "build", "recipe"):
            assert getattr(united, field) == getattr(whole, field)
        assert len(united.shards) == len(united.files) == count
        assert whole.shards == ()
        assert read_paths(several, ROWS) == read_paths(one, ROWS)
        assert read_channel_means(several).tolist() == read_channel_means(one).tolist()
        order = np.random.default_rng(0).permutation(ROWS).tolist()
        rows, expected = open_rows(united), open_rows(whole)
        np.testing.assert_array_equal(rows.read(order), expected.read(order))
        np.testing.assert_array_equal(rows.row(7), expected.row(7))
        rows.close()

    def test_features_too(self, write_set, rng):
        features = rng.normal(size=(ROWS, 7)).astype(np.float32)
        header = read_header(write_set(3, rows=features, recipe="{}"))
        assert (header.key, header.shape, header.recipe) == ("features", features.shape, "{}")
        np.testing.assert_array_equal(open_rows(header).read(range(ROWS)), features)

    def test_epochs_shuffle_across_all_shards(self, write_set):
        steps, epochs = [PatchPreprocessor(8, 8)], []
        for path in (write_set(1, "one.hdf5"), write_set(4)):
            loader = BatchLoader(path, 4, steps, shuffle=True, seed=3, dtype="uint8")
            loader = pickle.loads(pickle.dumps(loader))
            epochs.append(np.concatenate([loader.batch(epoch, i) for epoch in range(2) for i in range(len(loader))]))
            loader.close()
        np.testing.assert_array_equal(*epochs)

    def test_a_shard_is_a_data_set_of_its_own(self, write_set, images):
        header = read_header(shard_path(write_set(3), 1, 3))
        assert (header.shape[0], header.labels.tolist(), header.shards) == (3, [0, 1, 0], ())
        np.testing.assert_array_equal(open_rows(header).read(range(3)), images[4:7])

    def test_one_shard_is_a_plain_file(self, write_set, images, tmp_path):
        paths = [f"{'ö' * i}.jpg" for i in range(ROWS)]
        with HDF5DatasetWriter(images.shape, tmp_path / "plain.hdf5", provenance=Provenance(build="b")) as writer:
            writer.add(images, np.arange(ROWS) % 2, paths)
            writer.store_class_labels(["cat", "dog"])
        assert write_set(1).read_bytes() == (tmp_path / "plain.hdf5").read_bytes()

    def test_more_shards_than_a_process_may_usually_open(self, write_set, monkeypatch):
        monkeypatch.setattr(resource, "getrlimit", lambda _: (20, 70))
        header = read_header(write_set(ROWS))
        with pytest.raises(
            UserError, match="10 shards must be open at once, and this process may open 70 files; raise"
        ):
            open_rows(header)


class TestAnyHDF5Reader:
    @pytest.fixture
    def moved(self, write_set, tmp_path):
        """The folder with a set has moved since the set was made."""
        folder = tmp_path / "made/here"
        folder.mkdir(parents=True)
        for encoding in ("raw", "jpeg"):
            write_set(3, f"made/here/{encoding} 100%b.hdf5", encoding=encoding)
        return shutil.move(folder, tmp_path / "moved")

    def test_it_sees_one_file_from_any_folder(self, moved, images, tmp_path):
        program = """if True:
            import sys, h5py, numpy
            with h5py.File(sys.argv[1]) as file:
                numpy.savez(sys.argv[2], **{name: file[name][:] for name in file})
        """
        subprocess.run(
            [sys.executable, "-c", program, moved / "raw 100%b.hdf5", tmp_path / "seen.npz"], cwd="/", check=True
        )
        with np.load(tmp_path / "seen.npz") as seen:
            np.testing.assert_array_equal(seen["images"], images)
            assert seen["labels"].tolist() == [0, 1] * 5
            assert [path.decode() for path in seen["paths"]] == [f"{'ö' * i}.jpg" for i in range(ROWS)]
            assert seen["channel_sums"].tolist() == images.sum(axis=(1, 2), dtype=int).tolist()
            assert seen["shards"]["rows"].tolist() == [4, 3, 3]

    def test_jpeg_images_lie_one_behind_the_other(self, moved):
        path = moved / "jpeg 100%b.hdf5"
        expected = open_rows(read_header(path)).read(range(ROWS))
        with h5py.File(path) as file:
            ends = [0, *file["jpeg_ends"][:].tolist()]
            found = [file["jpeg"][start:end] for start, end in itertools.pairwise(ends)]
        np.testing.assert_array_equal([cv2.imdecode(data, cv2.IMREAD_COLOR) for data in found], expected)

    def test_what_is_missing_does_not_look_like_data(self, write_set, rng):
        path = write_set(3, rows=rng.normal(size=(ROWS, 7)).astype(np.float32))
        shard_path(path, 1, 3).unlink()
        with h5py.File(path) as file:
            assert np.flatnonzero(file["labels"][:] == -1).tolist() == [4, 5, 6]
            assert np.flatnonzero(np.isnan(file["features"][:]).all(axis=1)).tolist() == [4, 5, 6]

    def test_equal_sets_make_equal_files(self, write_set, tmp_path):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            write_set(3, f"{folder}/train.hdf5", encoding="jpeg")
        for name in ("train.hdf5", *shards_of(3)):
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
