import os
import shutil

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.io.shards.names import (
    check_set_output,
    shard_path,
)
from pyimagesearch.io.shards.uniting import publish_set, unite
from pyimagesearch.utils.atomic import partial_path
from tests.io.shards.sharded import ROWS, names, shards_of


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
        writer = HDF5DatasetWriter((3, *images.shape[1:]), shard_path(path, 1, 3), shard=(1, 3))
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
