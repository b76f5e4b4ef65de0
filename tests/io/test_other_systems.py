"""Files are written and read where modules, calls and folders of Linux are missing, and open files stay as they are.

Only Linux runs these tests. Python imports ``sitecustomize`` as it starts, in the helper process too: there Linux is
made to look like another system.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pyimagesearch.io.format import sandbox
from tests.io.format.test_sandbox import make_hang

ROOT = Path(__file__).resolve().parents[2]

WINDOWS = '''
"""No fcntl, resource, poll and posix_fallocate; open files keep their names; text mode unless told otherwise."""
import fcntl, os, select, subprocess, sys, types

BINARY, TEMPORARY = 1 << 30, 1 << 29
os.O_BINARY, os.O_TEMPORARY = BINARY, TEMPORARY
msvcrt = types.ModuleType("msvcrt")
msvcrt.LK_NBLCK, lock = 2, fcntl.flock
msvcrt.locking = lambda descriptor, mode, count: lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
real, sys.modules["fcntl"], sys.modules["resource"], sys.modules["msvcrt"] = fcntl, None, None, msvcrt
del os.posix_fallocate, os.sched_getaffinity, select.poll
opened, closed, temporary = os.open, os.close, {}

def open_binary(path, flags, *more, **keywords):
    if str(path).endswith(".partial"):
        assert flags & BINARY, f"{path} is opened as text"
    descriptor = opened(path, flags & ~(BINARY | TEMPORARY), *more, **keywords)
    if flags & TEMPORARY:
        temporary[descriptor] = path
    return descriptor

def close_and_remove(descriptor):
    closed(descriptor)
    path = temporary.pop(descriptor, None)
    if path and not is_open(path):
        unlink(path)

def is_open(path):
    if os.path.exists(path):
        for each in os.listdir("/proc/self/fd"):
            try:
                if os.path.samestat(os.fstat(int(each)), os.stat(path)):
                    return True
            except OSError:
                continue
    return False

def kept(function):
    def call(*paths, **keywords):
        for path in paths:
            if is_open(path):
                raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
        return function(*paths, **keywords)
    return call

unlink = os.unlink
os.open, os.close = open_binary, close_and_remove
os.replace, os.rename, os.unlink, os.remove = map(kept, (os.replace, os.rename, os.unlink, os.remove))
'''

MACOS = '''
"""No /proc, posix_fallocate and sched_getaffinity, and no limit of memory."""
import builtins, os, resource

del os.posix_fallocate, os.sched_getaffinity
opened, limit = builtins.open, resource.setrlimit

def open_outside_proc(path, *more, **keywords):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return opened(path, *more, **keywords)

def limit_all_but_memory(which, limits):
    if which == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    limit(which, limits)

builtins.open, resource.setrlimit = open_outside_proc, limit_all_but_memory
'''

WRITE_AND_READ = """
import os
import numpy as np
import pytest
from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.conversion import convert
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.inspection import damaged_rows, describe
from pyimagesearch.utils.atomic import open_alone, write_json

images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
labels, paths = np.arange(20) % 2, [f"{i}.jpg" for i in range(20)]

def writer(path, encoding, **options):
    made = HDF5DatasetWriter(images.shape, path, encoding=encoding, buf_size=3, **options)
    made.store_class_labels(["cat", "dog"])
    return made

def rows(path):
    loader = BatchLoader(path, 20, dtype="uint8")
    batch = loader.batch(0, 0)
    loader.close()
    return batch

for encoding in ("raw", "jpeg"):
    with writer("whole.hdf5", encoding, overwrite=True) as whole:
        whole.add(images, labels, paths)
    stopped = writer("resumed.hdf5", encoding, overwrite=True)
    stopped.add(images[:10], labels[:10], paths[:10])
    with pytest.raises(UserError, match="another process is writing"):
        open_alone("resumed.hdf5.partial", "resumed.hdf5")
    stopped.suspend()
    with writer("resumed.hdf5", encoding, overwrite=True, resume=True) as resumed:
        assert resumed.recover(labels, paths) == 10
        resumed.add(images[10:], labels[10:], paths[10:])
    content = open("whole.hdf5", "rb").read()
    assert open("resumed.hdf5", "rb").read() == content
    writer("given_up.hdf5", encoding).discard()
    before = rows("whole.hdf5")
    convert("whole.hdf5", "whole.hdf5", shards=3, overwrite=True)
    assert damaged_rows("whole.hdf5").tolist() == [] and "3, with rows" in describe("whole.hdf5")["shards"]
    np.testing.assert_array_equal(rows("whole.hdf5"), before)
    convert("whole.hdf5", "whole.hdf5", shards=1, overwrite=True)
    assert open("whole.hdf5", "rb").read() == content
    convert("whole.hdf5", "whole.hdf5", encoding="raw", overwrite=True)
    np.testing.assert_array_equal(rows("whole.hdf5"), before)
write_json("mean.json", {"R": 1.0})
assert sorted(os.listdir()) == ["mean.json", "resumed.hdf5", "sitecustomize.py", "whole.hdf5"], os.listdir()
"""


def run(folder, system, program):
    """Run a program on Linux made up as another system."""
    (folder / "sitecustomize.py").write_text(system)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("system", [WINDOWS, MACOS], ids=["windows", "macos"])
def test_files_are_written_resumed_read_and_converted(tmp_path, system):
    done = run(tmp_path, system, WRITE_AND_READ)
    assert done.returncode == 0, done.stderr


def test_without_proc_a_file_that_hangs_is_refused_and_others_are_read(tmp_path, write_dataset, rng):
    import h5py

    write_dataset(rng.integers(0, 256, (4, 8, 8, 3), "uint8"), name="good.hdf5")
    with h5py.File(tmp_path / "hangs.hdf5", "w") as file:
        file["images"], file["labels"] = rng.integers(0, 256, (4, 8, 8, 3), "uint8"), [0, 1, 0, 1]
        file.attrs["first"], file.attrs["second"] = "one", "two"
    make_hang(tmp_path / "hangs.hdf5")
    program = """
        import pytest
        from pyimagesearch.errors import UserError
        from pyimagesearch.io.format import sandbox
        from pyimagesearch.io.format.dataset import read_header
        with pytest.raises(UserError, match="keeps the HDF5 library busy for more than 2 s"):
            read_header("hangs.hdf5")
        sandbox.try_in_sandbox("good.hdf5")
        assert read_header("good.hdf5").shape == (4, 8, 8, 3)
        assert sandbox._helper is not None
    """
    done = run(tmp_path, MACOS, program)
    assert done.returncode == 0, done.stderr


def test_a_helper_that_cannot_start_says_why(write_dataset, rng, monkeypatch):
    path = write_dataset(rng.integers(0, 256, (4, 8, 8, 3), "uint8"))
    monkeypatch.setattr(sandbox, "_helper", None)
    monkeypatch.setattr(sandbox, "_known", {})
    monkeypatch.setattr(sandbox, "_COMMAND", "import no_such_module")
    with pytest.raises(RuntimeError, match=r"could not start .* No module named 'no_such_module'"):
        sandbox.try_in_sandbox(path)
    assert sandbox._helper is None
