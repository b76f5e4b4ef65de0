"""A writer that was stopped, politely or not, goes on and makes the same bytes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.format.header import Provenance

ROWS, SHAPE = 40, (24, 20, 3)
ROOT = Path(__file__).resolve().parents[2]

WRITE_AND_DIE = """
import os, signal, sys
sys.path.insert(0, {root!r})
sys.path.insert(0, {here!r})
from test_resumed_writing import fill, open_writer
writer = open_writer({path!r}, {encoding!r})
fill(writer, stop={stop})
os.kill(os.getpid(), signal.SIGKILL)
"""


def image(number):
    return np.random.default_rng(number).integers(0, 256, SHAPE, dtype=np.uint8)


def names():
    return [f"images/{i}.jpg" for i in range(ROWS)]


def open_writer(path, encoding, resume=False, build="plan"):
    provenance = Provenance(build=build)
    writer = HDF5DatasetWriter(
        (ROWS, *SHAPE), path, encoding=encoding, buf_size=7, resume=resume, provenance=provenance
    )
    writer.store_class_labels(["cat", "dog"])
    return writer


def fill(writer, stop=ROWS):
    for i in range(writer.rows_added, stop):
        writer.add(image(i)[None], [i % 2], [names()[i]])


@pytest.fixture(params=["raw", "jpeg"])
def encoding(request):
    return request.param


@pytest.fixture
def unbroken(tmp_path, encoding):
    with open_writer(tmp_path / "unbroken.hdf5", encoding) as writer:
        fill(writer)
    return (tmp_path / "unbroken.hdf5").read_bytes()


def resume_and_finish(path, encoding):
    writer = open_writer(path, encoding, resume=True)
    recovered = writer.recover(np.arange(ROWS) % 2, names())
    fill(writer)
    means = writer.channel_means()
    writer.close()
    return recovered, means


@pytest.mark.parametrize("stop", [0, 1, 13, ROWS])
def test_a_suspended_writer_goes_on_with_every_row(tmp_path, encoding, unbroken, stop):
    path = tmp_path / "data.hdf5"
    writer = open_writer(path, encoding)
    fill(writer, stop)
    writer.suspend()
    assert not path.exists()
    recovered, means = resume_and_finish(path, encoding)
    assert recovered == stop
    assert path.read_bytes() == unbroken
    expected = np.mean([image(i).mean(axis=(0, 1)) for i in range(ROWS)], axis=0)
    np.testing.assert_allclose(means, expected)


@pytest.mark.parametrize("stop", [1, 16, 39])
def test_a_killed_writer_goes_on_with_what_it_flushed(tmp_path, encoding, unbroken, stop):
    path = tmp_path / "data.hdf5"
    program = WRITE_AND_DIE.format(
        root=str(ROOT), here=str(Path(__file__).parent), path=str(path), encoding=encoding, stop=stop
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    recovered, _ = resume_and_finish(path, encoding)
    assert stop - 7 < recovered <= stop
    assert path.read_bytes() == unbroken


def test_a_row_that_rotted_meanwhile_is_written_again(tmp_path, encoding, unbroken):
    path = tmp_path / "data.hdf5"
    writer = open_writer(path, encoding)
    fill(writer, 20)
    writer.suspend()
    partial = Path(f"{path}.partial")
    content = bytearray(partial.read_bytes())
    content[content.find(image(10).tobytes()) if encoding == "raw" else -1000] ^= 1
    partial.write_bytes(content)
    recovered, _ = resume_and_finish(path, encoding)
    assert recovered < 20
    assert path.read_bytes() == unbroken


def test_another_plan_starts_from_the_beginning(tmp_path, encoding):
    path = tmp_path / "data.hdf5"
    writer = open_writer(path, encoding)
    fill(writer, 20)
    writer.suspend()
    other = open_writer(path, encoding, resume=True, build="another plan")
    assert other.recover(np.arange(ROWS) % 2, names()) == 0
    other.discard()
    assert os.listdir(tmp_path) == []


def test_without_resume_an_unfinished_file_is_replaced(tmp_path, encoding, unbroken):
    path = tmp_path / "data.hdf5"
    writer = open_writer(path, encoding)
    fill(writer, 20)
    writer.suspend()
    with open_writer(path, encoding) as writer:
        assert writer.rows_added == 0
        fill(writer)
    assert path.read_bytes() == unbroken
