"""A build's files appear together or not at all, also where open files can be neither renamed nor removed."""

import os
import pathlib

import numpy as np
import pytest

from pyimagesearch.building.splitbuilder import SplitBuilder
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils import atomic

SIZE = 16
ROWS = {"train": np.arange(8), "val": np.arange(8, 12)}


class Windows:
    """Refuses what Windows refuses: to rename or remove a file that this process has open."""

    def __init__(self, monkeypatch):
        self.replace, self.unlink = os.replace, pathlib.Path.unlink
        monkeypatch.setattr(os, "replace", self.checked_replace)
        monkeypatch.setattr(
            pathlib.Path, "unlink", lambda path, missing_ok=False: self.checked_unlink(path, missing_ok)
        )
        monkeypatch.setattr(atomic, "fcntl", None)
        monkeypatch.setattr(atomic, "msvcrt", self, raising=False)
        monkeypatch.setitem(__import__("sys").modules, "msvcrt", self)

    LK_NBLCK, LK_UNLCK = 2, 0

    def locking(self, descriptor, mode, size):
        """Stand in for the lock of one byte."""

    def require_closed(self, *paths):
        opened = set()
        for number in os.listdir("/proc/self/fd"):
            try:
                opened.add(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                continue
        for path in paths:
            if os.path.realpath(path) in opened:
                raise PermissionError(13, "it is open", str(path))

    def checked_replace(self, source, target):
        self.require_closed(source, target)
        self.replace(source, target)

    def checked_unlink(self, path, missing_ok):
        self.require_closed(path)
        self.unlink(path, missing_ok)


@pytest.fixture(params=["this system", "Windows"])
def system(request, monkeypatch):
    if request.param == "Windows":
        if not os.path.isdir("/proc/self/fd"):
            pytest.skip("only Linux lists the open files")
        Windows(monkeypatch)


def build(images, folder, shards, decoding=None, **options):
    resize = SimplePreprocessor(SIZE, SIZE)
    builder = SplitBuilder(images, ROWS, resize, decoding or Decoding(), shards=shards, cluster=ThisProcess(1))
    builder.build({name: folder / f"{name}.hdf5" for name in ROWS}, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock" and path.name != "images")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("shards", [1, 2])
def test_all_files_appear(images, tmp_path, shards):
    build(images, tmp_path, shards)
    train = ["train-00000-of-00002.hdf5", "train-00001-of-00002.hdf5"] if shards == 2 else []
    assert names(tmp_path) == [*train, "train.hdf5", "val.hdf5"]
    build(images, tmp_path, shards, overwrite=True)
    assert names(tmp_path) == [*train, "train.hdf5", "val.hdf5"]


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("shards", [1, 2])
def test_no_file_is_left_if_one_image_is_unreadable(images, folder, tmp_path, shards):
    (folder / images.paths[11]).write_bytes(b"")
    with pytest.raises(UserError, match="1 of 12 images"):
        build(images, tmp_path, shards)
    assert names(tmp_path) == []


@pytest.mark.usefixtures("system")
def test_earlier_files_stay_if_the_new_ones_fail(images, folder, tmp_path):
    build(images, tmp_path, 1)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    (folder / images.paths[11]).write_bytes(b"")
    with pytest.raises(UserError, match="1 of 12 images"):
        build(images, tmp_path, 1, overwrite=True)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before
