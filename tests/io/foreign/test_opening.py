import gzip
import io
import zipfile

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.opening import what_is
from pyimagesearch.io.foreign.recognition import plan_file
from tests.io.foreign.pictures import classes, pictures


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>\n<html>", "an HTML page"),
        (b"\n<HTML><head>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (gzip.compress(b"x", mtime=0), "a gzip archive"),
        (zipped(), "a zip archive, as .zip, .npz and .keras"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"MATLAB 5.0 MAT-file, Platform", r"a MATLAB file before version 7\.3; save it again with -v7\.3"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (bytes(4000), "only zero bytes at its beginning"),
        (b"name,label\na,1\n", "text"),
        (b"\x80\x81\x82\x83\x00\x99" * 9, "not an HDF5 file"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, data, what):
    path = tmp_path / "images.h5"
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"images.h5 must be an HDF5 file; it is {what}"):
        plan_file(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UserError, match="does not exist or is no file"):
        plan_file(tmp_path / "no.h5")


def test_hdf5_may_begin_after_a_block_of_the_users(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=2048) as file:
        file["x"] = 1
    assert what_is(tmp_path / "a.h5") == ""


@pytest.mark.parametrize(
    ("datasets", "attributes", "what"),
    [
        ({"dense/dense/kernel": np.ones((3, 4))}, {"/": {"layer_names": [b"dense"]}}, "a file of Keras weights"),
        ({"model_weights/a": np.ones(3)}, {"/": {"model_config": "{}"}}, "a model of Keras"),
        ({"layers/conv/vars/0": np.ones((3, 3, 3, 8))}, {}, "a file of Keras weights"),
        ({"df/values": np.ones(3)}, {"df": {"pandas_type": "frame"}}, "a table of pandas"),
        ({}, {}, "an HDF5 file without datasets"),
    ],
)
def test_hdf5_files_of_something_else_are_called_what_they_are(make, datasets, attributes, what):
    with pytest.raises(UserError, match=f"must hold labelled images; it is {what}"):
        plan_file(make(datasets, attributes))


@pytest.mark.parametrize("dtype", [float, np.uint8])
def test_bytes_that_cannot_be_decoded_are_called_damaged(make, read, dtype):
    images = pictures(height=64, width=64).astype(dtype)
    path = make({"X": images, "y": classes()}, compression="gzip", chunks=(1, 64, 64, 3))
    with h5py.File(path) as file:
        info = file["X"].id.get_chunk_info(0)
    with open(path, "r+b") as file:
        file.seek(info.byte_offset + 20)
        file.write(b"\0" * 500)
    with pytest.raises(UserError, match=r"rows of X of .* cannot be read .*; bytes are damaged; copy or build"):
        read(path)


def test_a_damaged_structure_is_called_so(make):
    path = make({"X": pictures(), "y": classes()})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"HEAP", b"HEPA", 1))
    with pytest.raises(UserError, match=r"the structure of .* cannot be read .*; bytes are damaged"):
        plan_file(path)
