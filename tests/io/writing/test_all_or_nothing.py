import errno
import os

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header
from tests.io.writing.written import LABELS, files, write


class TestAllOrNothing:
    def test_the_file_has_its_name_only_when_it_is_whole(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.flush()
        assert files(tmp_path) == ["a.hdf5.partial"]
        writer.close()
        assert files(tmp_path) == ["a.hdf5"]

    def test_an_exception_leaves_nothing(self, tmp_path, images):
        def interrupted():
            with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5") as writer:
                writer.add(images, LABELS)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            interrupted()
        assert files(tmp_path) == []

    def test_an_exception_keeps_the_old_file(self, tmp_path, images):
        old = write(tmp_path / "a.hdf5", images).read_bytes()

        def interrupted():
            with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True) as writer:
                writer.add(images[::-1], LABELS)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            interrupted()
        assert files(tmp_path) == ["a.hdf5"]
        assert (tmp_path / "a.hdf5").read_bytes() == old

    def test_overwriting_happens_at_the_end(self, tmp_path, images):
        old = write(tmp_path / "a.hdf5", images).read_bytes()
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True)
        writer.add(images[::-1], LABELS)
        writer.flush()
        assert (tmp_path / "a.hdf5").read_bytes() == old
        writer.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images[::-1])

    def test_sealing_finishes_the_file_under_its_unfinished_name(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.seal()
        writer.seal()
        with h5py.File(tmp_path / "a.hdf5.partial", locking=False) as file:
            assert file.attrs["complete"]
        writer.close()
        np.testing.assert_array_equal(read_header(tmp_path / "a.hdf5").labels, LABELS)

    def test_a_second_close_is_harmless(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.close()
        before = (tmp_path / "a.hdf5").read_bytes()
        writer.close()
        writer.discard()
        assert (tmp_path / "a.hdf5").read_bytes() == before
        assert files(tmp_path) == ["a.hdf5"]

    def test_discard_removes_the_unfinished_file(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.add(images, LABELS)
        writer.discard()
        writer.close()
        assert files(tmp_path) == []

    def test_what_a_killed_writer_left_is_written_over(self, tmp_path, images):
        (tmp_path / "a.hdf5.partial").write_bytes(b"rubbish" * 100_000)
        fresh = write(tmp_path / "b.hdf5", images).read_bytes()
        assert write(tmp_path / "a.hdf5", images).read_bytes() == fresh
        assert files(tmp_path) == ["a.hdf5", "b.hdf5"]

    def test_two_writers_of_one_file_are_one_too_many(self, tmp_path, images):
        first = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        with pytest.raises(UserError, match=r"output_path: another process is writing .*a\.hdf5 right now"):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        first.add(images, LABELS)
        first.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)

    def test_a_disk_without_room_is_named_before_the_first_row(self, tmp_path, images, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", full)
        rule = (
            r"dims: 7 rows need 0.0 MB on disk, .*a\.hdf5\.partial cannot have \(No space left on device\); make room"
        )
        with pytest.raises(UserError, match=rule):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        assert files(tmp_path) == []

    def test_a_file_system_that_promises_no_room_is_written_to_all_the_same(self, tmp_path, images, monkeypatch):
        def unable(*_):
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")

        expected = write(tmp_path / "a.hdf5", images).read_bytes()
        monkeypatch.setattr(os, "posix_fallocate", unable)
        assert write(tmp_path / "b.hdf5", images).read_bytes() == expected
