import dataclasses
import shutil

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.sandbox import try_in_sandbox
from pyimagesearch.io.shards.names import shard_path
from tests.io.shards.sharded import ROWS


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
        self.check(path, r"train-00001-of-00003\.hdf5 must be shard 1 of 3, .* it says that it is shard 2 of 3; was it")

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
        from pyimagesearch.io.format.header import metadata_checksum
        from pyimagesearch.io.format.shardtable import read_table, write_table

        with h5py.File(path, "r+") as file:
            table = read_table(file)
            del file["shards"]
            write_table(file, [dataclasses.replace(table[0], file=file_name), *table[1:]])
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
        with pytest.raises(UserError, match=r"must be shard 1 of 3, .* it says that it is no shard"):
            read_header(path)


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
            try_in_sandbox(path)  # as those who describe or convert a file do; HDF5 itself may crash
            header = read_header(path)
            outcomes["read"] += 1
            told = header.shape == expected.shape and header.label_names == expected.label_names
        except UserError as error:
            outcomes["refused"] += 1
            told = file.name in str(error) or path.name in str(error)
        assert told
    assert min(outcomes.values()) > 0
