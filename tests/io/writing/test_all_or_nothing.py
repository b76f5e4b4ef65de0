import errno
import os
import threading

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
        with pytest.raises(UserError, match=r"output_path: an unclosed writer of this process has .*a\.hdf5; close it"):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        first.add(images, LABELS)
        first.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)

    def test_a_writer_that_was_never_closed_is_taken_over(self, tmp_path, images):
        """As in a notebook, where a cell failed and runs again."""
        first = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        first.add(images[:3], LABELS[:3])
        second = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True)
        with pytest.raises(UserError, match="the writer is closed"):
            first.add(images[3:], LABELS[3:])
        for end in (first.close, first.suspend, first.discard):
            end()
        second.add(images[:4], LABELS[:4])
        third = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", resume=True)
        assert third.recover(LABELS) == 4
        third.add(images[4:], LABELS[4:])
        third.close()
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)
        assert files(tmp_path) == ["a.hdf5"]

    def test_a_writer_of_another_thread_is_left_alone(self, tmp_path, images):
        made = []
        thread = threading.Thread(target=lambda: made.append(HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")))
        thread.start()
        thread.join()
        made[0]._thread = os.getpid(), -1  # a thread that ended may leave its number to this one
        with pytest.raises(UserError, match="close it, in its own thread"):
            HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True)
        made[0].add(images, LABELS)
        made[0].close()
        HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", overwrite=True).discard()

    def test_rows_that_were_never_promised_destroy_none(self, tmp_path, images):
        def write_all(rows, **options):
            with HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5", **options) as writer:
                if options:
                    assert writer.recover(LABELS) == len(images)
                for row, label in zip(rows, np.resize(LABELS, len(rows)), strict=True):
                    writer.add(row[None], [label])

        rule = "was promised 7 rows; received 8; .*the 7 rows before these are kept: resume=True"
        with pytest.raises(UserError, match=rule):
            write_all(np.concatenate([images, images]))
        assert files(tmp_path) == ["a.hdf5.partial"]
        write_all([], resume=True)
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], images)

    def test_it_says_in_one_line_what_it_writes(self, tmp_path, images):
        writer = HDF5DatasetWriter(images.shape, tmp_path / "a.hdf5")
        writer.store_class_labels(["cat", "dog"])
        writer.add(images[:3], LABELS[:3])
        words = "3 of 7 rows of shape (5, 4, 3), uint8, BGR; 2 classes: cat, dog"
        assert repr(writer) == f"<HDF5DatasetWriter {tmp_path}/a.hdf5: {words}; open>"
        writer.discard()
        assert repr(writer).endswith("; closed>")

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
