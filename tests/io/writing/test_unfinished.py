import os
import subprocess
import sys
import textwrap

import cv2
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.dataset import read_header
from tests.io.provenance import with_provenance
from tests.io.writing.written import LABELS, PATHS, N, files, write


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
class TestResuming:
    OPTIONS = {"buf_size": 2, "history": "cut", "build": "b1"}

    def finish(self, path, images, encoding, **changes):
        """Resume an unfinished file; return the number of rows taken over."""
        options = {**self.OPTIONS, "encoding": encoding, **changes}
        with HDF5DatasetWriter(images.shape, path, resume=True, **with_provenance(options)) as writer:
            writer.store_class_labels(["cat", "dög"])
            done = writer.recover(LABELS, PATHS)
            writer.add(images[done:], LABELS[done:], PATHS[done:])
        return done

    def begin(self, path, images, encoding, count):
        writer = HDF5DatasetWriter(images.shape, path, encoding=encoding, **with_provenance(self.OPTIONS))
        writer.add(images[:count], LABELS[:count], PATHS[:count])
        writer.suspend()

    @pytest.mark.parametrize("count", [0, 1, 4, 5, N])
    def test_a_suspended_file_becomes_the_one_that_was_never_stopped(self, tmp_path, photos, encoding, count):
        expected = write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
        self.begin(tmp_path / "a.hdf5", photos, encoding, count)
        assert files(tmp_path) == ["a.hdf5.partial", "b.hdf5"]
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) == count
        assert (tmp_path / "a.hdf5").read_bytes() == expected

    def test_a_killed_writer_s_rows_are_taken_over(self, tmp_path, photos, encoding):
        np.savez(tmp_path / "rows.npz", images=photos, labels=LABELS, paths=PATHS)
        program = f"""
            import os, numpy as np
            from pyimagesearch.io import HDF5DatasetWriter
            from tests.io.provenance import with_provenance
            data = np.load("rows.npz")
            writer = HDF5DatasetWriter(data["images"].shape, "a.hdf5", encoding={encoding!r},
                **with_provenance({self.OPTIONS!r}))
            for i in range(5):
                writer.add(data["images"][i:i + 1], data["labels"][i:i + 1], data["paths"][i:i + 1].tolist())
            os._exit(9)
        """
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
        killed = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, env=environment, check=False
        )
        assert killed.returncode == 9
        expected = write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) >= 4
        assert (tmp_path / "a.hdf5").read_bytes() == expected

    @pytest.mark.parametrize("change", [{"history": "other"}, {"build": "b2"}])
    def test_a_file_of_another_plan_is_written_from_the_beginning(self, tmp_path, photos, encoding, change):
        self.begin(tmp_path / "a.hdf5", photos, encoding, 4)
        assert self.finish(tmp_path / "a.hdf5", photos, encoding, **change) == 0
        assert read_header(tmp_path / "a.hdf5").build == change.get("build", "b1")

    def test_damaged_rows_are_written_again(self, tmp_path, photos, encoding):
        expected = write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
        self.begin(tmp_path / "a.hdf5", photos, encoding, 6)
        partial = tmp_path / "a.hdf5.partial"
        content = partial.read_bytes()
        row = photos[3]
        if encoding == "jpeg":
            row = cv2.imencode(".jpg", row, (cv2.IMWRITE_JPEG_QUALITY, 90))[1]
        place = content.index(row.tobytes()[-120:])
        partial.write_bytes(content[:place] + bytes(100) + content[place + 100 :])
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) == 3
        assert (tmp_path / "a.hdf5").read_bytes() == expected

    def test_with_nothing_to_resume_the_file_is_begun(self, tmp_path, photos, encoding):
        assert self.finish(tmp_path / "a.hdf5", photos, encoding) == 0
        assert read_header(tmp_path / "a.hdf5").shape == photos.shape

    def test_without_resume_an_unfinished_file_is_replaced(self, tmp_path, photos, encoding):
        self.begin(tmp_path / "a.hdf5", photos, encoding, 4)
        again = write(tmp_path / "a.hdf5", photos, encoding=encoding, **self.OPTIONS)
        assert again.read_bytes() == write(tmp_path / "b.hdf5", photos, encoding=encoding, **self.OPTIONS).read_bytes()
