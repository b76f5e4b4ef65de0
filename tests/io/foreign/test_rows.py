import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.labels import read_labels
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from pyimagesearch.io.foreign.rows import PlannedRows, count_unwritten_tail
from tests.io.foreign.pictures import classes, pictures


def tail_of(path):
    plan = plan_file(path)
    with PlannedRows(plan) as rows:
        return count_unwritten_tail(rows.stored, read_labels(plan).numbers)


@pytest.mark.parametrize(("written", "chunks"), [(30, None), (200, None), (1, None), (0, None), (31, (7, 8, 6, 3))])
def test_rows_of_a_stopped_writer_are_counted(make, written, chunks):
    images, labels = np.zeros((200, 8, 6, 3)), np.zeros(200, int)
    images[:written], labels[:written] = pictures(written), np.arange(written) % 2 + 1
    assert tail_of(make({"images": images, "labels": labels}, chunks=chunks)) == 200 - written


def test_a_written_row_of_class_0_is_not_counted(make):
    images, labels = np.zeros((200, 8, 6, 3), np.uint8), np.zeros(200, int)
    images[:30] = pictures(30)
    assert tail_of(make({"images": images, "labels": labels})) == 170


def test_black_images_of_other_classes_are_not_counted(make):
    assert tail_of(make({"images": np.zeros((9, 8, 6, 3), np.uint8), "labels": np.ones(9, int)})) == 0


def test_nothing_written_is_an_unfinished_build(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("images", (200, 64, 64, 3), "f8")
        file.create_dataset("labels", (200,), "i8")
    plan = plan_file(tmp_path / "a.h5")
    assert plan.unfinished.startswith("nothing was ever written into images: its writer was stopped, build the file")
    assert plan.in_words()["unfinished"] == plan.unfinished
    for use in (read_labels, PlannedRows):
        with pytest.raises(UserError, match=r"a\.h5 is unfinished: nothing was ever written into images"):
            use(plan)


def test_chunks_that_were_never_written_are_said_unless_rows_are_told(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", (20, 8, 6, 3), "u1", chunks=(5, 8, 6, 3))[:10] = pictures(10)
        file["y"] = classes()
    assert plan_file(tmp_path / "a.h5").unfinished.startswith("2 chunks of X were never written and read as fill")
    plan = plan_file(tmp_path / "a.h5", Choices(rows=10))
    assert (plan.unfinished, len(plan)) == ("", 10)
