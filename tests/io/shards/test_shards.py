"""Data sets in several files: how they are cut, united, replaced, and read as one file."""

import itertools
import os
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
from pyimagesearch.io.atomic import partial_path
from pyimagesearch.io.batchloader import BatchLoader
from pyimagesearch.io.fileformat import read_header
from pyimagesearch.io.headerchecks import read_channel_means
from pyimagesearch.io.predictions import read_paths
from pyimagesearch.io.rows import open_rows
from pyimagesearch.io.shards.sets import (
    check_set_output,
    files_of_set,
    publish_set,
    remove_stale,
    shard_path,
    shard_paths,
    shard_ranges,
    unite,
)
from pyimagesearch.preprocessing import PatchPreprocessor

ROWS = 10


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def shards_of(count, name="train"):
    return [f"{name}-{i:05d}-of-{count:05d}.hdf5" for i in range(count)]


@pytest.fixture
def images(numbered_images):
    return numbered_images(ROWS, 16, 12)


@pytest.fixture
def write_set(tmp_path, images):
    """Return a function that writes the images as shards, and returns the path of the whole."""

    def write(count, name="train.hdf5", rows=images, publish=True, overwrite=False, **options):
        path = tmp_path / name
        for number, (start, stop) in enumerate(shard_ranges(len(rows), count)):
            settings = {"build": "b", "shard": (number, count), "dtype": rows.dtype, "overwrite": overwrite, **options}
            writer = HDF5DatasetWriter(
                (stop - start, *rows.shape[1:]), shard_path(path, number, count),
                "features" if rows.ndim == 2 else "images", **settings,
            )  # fmt: skip
            writer.store_class_labels(["cat", "dog"])
            writer.add(rows[start:stop], np.arange(start, stop) % 2, [f"{'ö' * i}.jpg" for i in range(start, stop)])
            writer.seal()
            writer.suspend()
        if publish:
            publish_set(path, count, overwrite)
        return path

    return write


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


class TestReading:
    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    @pytest.mark.parametrize("count", [2, 3, ROWS])
    def test_everything_is_as_in_one_file(self, write_set, encoding, count):
        one, several = (write_set(n, f"{n}.hdf5", encoding=encoding) for n in (1, count))
        whole, united = read_header(one), read_header(several)
        assert united.labels.tolist() == whole.labels.tolist()
        for field in ("key", "encoding", "shape", "dtype", "label_names", "color_order", "ours", "build", "recipe"):
            assert getattr(united, field) == getattr(whole, field)
        assert len(united.shards) == len(united.parts) == count
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
        with HDF5DatasetWriter(images.shape, tmp_path / "plain.hdf5", build="b") as writer:
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


class TestRefusals:
    """Every fault is found before a row is read, and its file is named."""

    def check(self, path, message):
        for read in (read_header, lambda path: BatchLoader(path, 2)):
            with pytest.raises(UserError, match=message):
                read(path)

    def test_a_shard_is_missing(self, write_set):
        path = write_set(3)
        shard_path(path, 1, 3).unlink()
        self.check(
            path, r"train\.hdf5 needs shard 1 of 3, .*train-00001-of-00003\.hdf5, which is missing; copy the right"
        )

    def test_a_shard_was_copied_over_another_name(self, write_set):
        path = write_set(3)
        shutil.copy(shard_path(path, 2, 3), shard_path(path, 1, 3))
        self.check(
            path, r"train-00001-of-00003\.hdf5 must be shard 1 of 3, .* by its own word it is shard 2 of 3; was it"
        )

    def test_a_plain_file_lies_in_the_place_of_a_shard(self, write_set):
        path, other = write_set(3), write_set(1, "other.hdf5")
        shutil.copy(other, shard_path(path, 1, 3))
        self.check(path, r"train-00001-of-00003\.hdf5 must be shard 1 of 3, .* it is no shard")

    @pytest.mark.parametrize("options", [{"build": "c"}, {"rows": np.ones((ROWS, 16, 12, 3), np.uint8)}])
    def test_a_shard_of_another_build(self, write_set, options):
        path, other = write_set(3), write_set(3, "other.hdf5", **options)
        shutil.copy(shard_path(other, 1, 3), shard_path(path, 1, 3))
        self.check(
            path, r"train-00001-of-00003\.hdf5 is not the file that .*train\.hdf5 was made of: it has changed since"
        )

    def test_a_shard_was_cut_off(self, write_set):
        path = write_set(3)
        shard = shard_path(path, 1, 3)
        shard.write_bytes(shard.read_bytes()[:-700])
        self.check(path, r"train-00001-of-00003\.hdf5 must be an HDF5 file; it is not, or it is damaged")

    @pytest.mark.parametrize("change", ["checksums", "color_order"])
    def test_a_shard_has_changed(self, write_set, change):
        path = write_set(3)
        with h5py.File(shard_path(path, 1, 3), "r+") as file:
            if change == "checksums":
                file["checksums"][1] ^= 1
            else:
                file.attrs["color_order"] = "RGB"
        self.check(path, r"train-00001-of-00003\.hdf5 is (not the file that|damaged)")

    @pytest.mark.parametrize("change", ["rows", "file", "shards", "label_names", "build"])
    def test_the_uniting_file_has_changed(self, write_set, change):
        path = write_set(3)
        with h5py.File(path, "r+") as file:
            if change == "label_names":
                file["label_names"][0] = b"cow"
            elif change == "build":
                file.attrs["build"] = "other"
            elif change == "shards":
                file.attrs["shards"] = 2
            else:
                table = file["shards"][:]
                table[change][1] = 4 if change == "rows" else table["file"][2]
                file["shards"][:] = table
        self.check(path, r"train\.hdf5 is damaged, .* not what was written")


class TestHostileFiles:
    def rewrite(self, path, file_name):
        """Make the table and the maps name another file, with checksums that are right."""
        from pyimagesearch.io.fileformat import metadata_checksum
        from pyimagesearch.io.shards.table import Shard, read_table, write_table

        with h5py.File(path, "r+") as file:
            table = read_table(file)
            del file["shards"]
            write_table(file, [Shard(file_name, *table[0][1:]), *table[1:]])
            file.attrs.modify("checksum", metadata_checksum(file))

    @pytest.mark.parametrize("name", ["/etc/passwd", "../train-00000-of-00003.hdf5", "..", "a/b.hdf5"])
    def test_shards_outside_the_folder_are_refused(self, write_set, name):
        path = write_set(3)
        self.rewrite(path, name)
        with pytest.raises(
            UserError, match=r"train\.hdf5 is damaged, .* table names the shard .*, outside its own folder"
        ):
            read_header(path)

    def test_so_are_links(self, write_set, tmp_path):
        path = write_set(3)
        (tmp_path / "elsewhere").mkdir()
        shard = shard_path(path, 0, 3)
        shutil.move(shard, tmp_path / "elsewhere")
        shard.symlink_to(tmp_path / "elsewhere" / shard.name)
        with pytest.raises(
            UserError, match=r"shards in its own folder; .*train-00000-of-00003.hdf5 is a link to .*else"
        ):
            read_header(path)

    def test_maps_to_other_files_than_the_shards_are_refused(self, write_set, tmp_path):
        path = write_set(3)
        shutil.copy(shard_path(path, 0, 3), tmp_path / "copy.hdf5")
        self.rewrite(path, "copy.hdf5")
        with pytest.raises(
            UserError, match=r"takes its data from train-00000-of-00003\.hdf5, which is none of its shards"
        ):
            read_header(path)

    def test_a_file_that_names_itself_ends(self, write_set):
        path = write_set(3)
        shutil.copy(path, shard_path(path, 1, 3))
        with pytest.raises(UserError, match=r"must be shard 1 of 3, .* by its own word it is no shard"):
            read_header(path)


class TestPublishing:
    def test_nothing_has_its_name_before_all_shards_are_sealed(self, write_set, tmp_path):
        path = write_set(3, publish=False)
        assert names(tmp_path) == [f"{name}.partial" for name in shards_of(3)]
        partial_path(shard_path(path, 2, 3)).unlink()
        with pytest.raises(UserError, match=r"needs shard 2 of 3, .*train-00002-of-00003\.hdf5, which is missing"):
            publish_set(path, 3)
        assert names(tmp_path) == [f"{name}.partial" for name in shards_of(3)[:2]]

    def test_an_unfinished_shard_is_refused(self, write_set, images):
        path = write_set(3, publish=False)
        writer = HDF5DatasetWriter((3, *images.shape[1:]), shard_path(path, 1, 3), shard=(1, 3), build="b")
        writer.suspend()
        with pytest.raises(
            UserError, match=r"train-00001-of-00003\.hdf5\.partial is incomplete: its writer was stopped"
        ):
            publish_set(path, 3)

    @pytest.mark.parametrize(
        ("options", "what"),
        [
            ({"build": "c"}, "build is c instead of b"),
            ({"history": "cropped"}, "history is cropped instead of unknown"),
            ({"encoding": "jpeg"}, "key is jpeg instead of images"),
            ({"color_order": "RGB"}, "color_order is RGB instead of BGR"),
            ({"libraries": "{}"}, "libraries is {} instead of"),
        ],
    )
    def test_shards_of_two_builds_are_not_united(self, write_set, tmp_path, options, what):
        path, other = write_set(3, publish=False), write_set(3, "other.hdf5", publish=False, **options)
        shutil.copy(partial_path(shard_path(other, 1, 3)), partial_path(shard_path(path, 1, 3)))
        before = names(tmp_path)
        with pytest.raises(UserError, match=rf"train-00001-of-00003.*must come from one build with .*; its {what}"):
            publish_set(path, 3)
        assert names(tmp_path) == before

    def test_what_a_killed_run_began_is_finished(self, write_set, tmp_path):
        path = write_set(3, publish=False)
        first = shard_path(path, 0, 3)
        os.replace(partial_path(first), first)
        publish_set(path, 3)
        assert names(tmp_path) == sorted(["train.hdf5", *shards_of(3)])
        path.unlink()
        unite(path, 3)
        assert read_header(path).shape[0] == ROWS

    def test_existing_files_are_kept(self, write_set, tmp_path):
        path = write_set(3)
        before = path.read_bytes()
        for refused in (lambda: unite(path, 3), lambda: check_set_output(path, 5), lambda: write_set(3)):
            with pytest.raises(UserError, match=r"exists; existing files are kept"):
                refused()
        path.unlink()
        with pytest.raises(UserError, match=r"train-00000-of-00003\.hdf5 exists; existing files are kept"):
            check_set_output(path, 3)
        check_set_output(path, 5)
        unite(path, 3)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(("old", "new"), [(3, 3), (3, 2), (2, 3), (1, 3), (3, 1)])
    def test_a_set_replaces_another_when_it_is_whole(self, write_set, tmp_path, old, new, numbered_images):
        path = write_set(old)
        others = numbered_images(6)
        write_set(new, rows=others, publish=False, overwrite=True)
        assert read_header(path).shape[0] == ROWS
        with pytest.raises(UserError, match="exists"):
            publish_set(path, new)
        publish_set(path, new, overwrite=True)
        assert names(tmp_path) == sorted(["train.hdf5", *(shards_of(new) if new > 1 else [])])
        np.testing.assert_array_equal(open_rows(read_header(path)).read(range(6)), others)

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

    @pytest.mark.parametrize("shard", [(3, 3), (-1, 3), (0, 0)])
    def test_a_number_that_no_shard_has_is_refused(self, tmp_path, shard):
        with pytest.raises(
            UserError, match=r"shard: must be \(index, count\) with index from 0 to count - 1; received"
        ):
            HDF5DatasetWriter((4, 8, 8, 3), tmp_path / "a.hdf5", shard=shard)


@pytest.mark.parametrize("victim", ["the uniting file", "a shard"])
def test_flipped_bits_give_an_error_or_the_right_header(write_set, victim):
    """A seeded run over the structure of small files; labels lie in the shards, where the checksums of rows are."""
    path = write_set(2, encoding="jpeg")
    file = path if victim == "the uniting file" else shard_path(path, 0, 2)
    sound, expected, rng = file.read_bytes(), read_header(path), np.random.default_rng(0)
    places, outcomes = np.flatnonzero(np.frombuffer(sound, np.uint8)), {"read": 0, "refused": 0}
    for _ in range(60):
        content = bytearray(sound)
        content[int(rng.choice(places))] ^= 1 << int(rng.integers(0, 8))
        file.write_bytes(content)
        try:
            header = read_header(path)
            outcomes["read"] += 1
            told = header.shape == expected.shape and header.label_names == expected.label_names
        except UserError as error:
            outcomes["refused"] += 1
            told = file.name in str(error) or path.name in str(error)
        assert told
    assert min(outcomes.values()) > 0
