"""HDF5 files that hang, crash or swell the HDF5 library do it in another process."""

import itertools
import os
import signal
import struct
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.format import sandbox
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.sandbox import try_in_sandbox

NEVER_SEEN = itertools.count(1)  # times of a file, so that it seems another
IMAGES = np.zeros((4, 8, 8, 3), np.uint8)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data.hdf5"
    with h5py.File(path, "w") as file:
        file["images"] = IMAGES
        file["labels"] = np.arange(4) % 2
        file.attrs["first"], file.attrs["second"] = "one", "two"
    return path


def make_hang(path):
    """Give the free space in the heap of strings no size: libhdf5 steps over it for ever."""
    content = bytearray(path.read_bytes())
    place = content.index(b"GCOL") + 16
    while struct.unpack_from("<H", content, place)[0]:
        (size,) = struct.unpack_from("<Q", content, place + 8)
        place += 16 + -(-size // 8) * 8
    struct.pack_into("<Q", content, place + 8, 0)
    path.write_bytes(content)


def test_a_file_that_makes_hdf5_loop_is_refused_in_seconds(path):
    make_hang(path)
    began = time.monotonic()
    with pytest.raises(UserError, match=r"data\.hdf5 is damaged, .* busy for more than 2 s; .* do not trust it"):
        read_header(path)
    assert time.monotonic() - began < 30  # of the wall; it is processor time that is limited


def test_the_next_file_is_read_as_if_nothing_had_happened(path, write_dataset):
    good = write_dataset(IMAGES, name="good.hdf5")
    make_hang(path)
    with pytest.raises(UserError, match="is damaged"):
        try_in_sandbox(path)
    try_in_sandbox(good)
    assert read_header(good).shape == IMAGES.shape


def test_a_helper_that_dies_is_said_to_have_crashed(path, write_dataset):
    try_in_sandbox(write_dataset(IMAGES, name="good.hdf5"))
    os.kill(helper_process(path), signal.SIGSEGV)
    time.sleep(0.1)
    os.utime(path, ns=(0, next(NEVER_SEEN)))
    with pytest.raises(UserError, match=r"crashes the HDF5 library \(SIGSEGV\)"):
        try_in_sandbox(path)


def helper_process(path):
    """Return the process that looks at files, which looking at one started."""
    os.utime(path, ns=(0, next(NEVER_SEEN)))
    try_in_sandbox(path)
    return sandbox._helper._process.pid


def test_a_file_that_takes_too_much_memory_is_refused(path):
    with h5py.File(path, "r+") as file:
        space = h5py.h5s.create_simple((2**20, 2**20))
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((2**14, 2**17))
        properties.set_deflate(1)
        del file["labels"]
        h5py.h5d.create(file.id, b"labels", h5py.h5t.NATIVE_INT8, space, properties)
        file["labels"][:1, :1] = 1
    with pytest.raises(UserError, match=r"labels: must be one for each image; labels \(1048576, 1048576\)"):
        read_header(path)


def test_a_file_that_is_replaced_is_looked_at_again(path):
    try_in_sandbox(path)
    other = path.with_name("other.hdf5")
    other.write_bytes(path.read_bytes())
    make_hang(other)
    os.replace(other, path)
    with pytest.raises(UserError, match="is damaged"):
        try_in_sandbox(path)


def test_forked_processes_have_helpers_of_their_own(path):
    ours = helper_process(path)
    child = os.fork()
    if not child:
        os._exit(3 if helper_process(path) != ours else 4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert helper_process(path) == ours


def test_no_process_is_left_when_the_program_ends(path):
    program = (
        "import sys; from pyimagesearch.io.format import sandbox; sandbox.try_in_sandbox(sys.argv[1]); "
        "print(sandbox._helper._process.pid)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    for _ in range(100):
        try:
            os.kill(int(done.stdout), 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the helper process still runs")
