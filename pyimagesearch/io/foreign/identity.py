"""Identify a file that holds no data set, by its first bytes or its groups."""

import os

from pyimagesearch.io.foreign.entries import Listing

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAD = 1024
_LARGEST_USER_BLOCK = 2**20
_BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; git lfs pull downloads it"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"PK\x03\x04", "a zip archive, as .zip, .npz and .keras files are; unpack it first"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ\0", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x93NUMPY", "a NumPy array (.npy); store it as a dataset of an HDF5 file"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file before version 7.3; save it again with -v7.3"),
    (b"\x0e\x03\x13\x01", "an HDF4 file; h4toh5 turns it into HDF5"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"CDF", "a netCDF file before version 4"),
)
_KERAS_ATTRIBUTES = {"layer_names", "model_config", "keras_version"}
_KERAS_GROUPS = {"model_weights", "_layer_checkpoint_dependencies", "optimizer_weights"}


def what_is(path: str | os.PathLike[str]) -> str:
    """Return what a file is by its first bytes, as the end of "it is"; "" where it is HDF5.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
        if not head:
            return "empty"
        place = 512
        if head.startswith(_HDF5):
            return ""
        while place <= _LARGEST_USER_BLOCK:  # HDF5 may begin after a block of the user's, of a power of two
            file.seek(place)
            found = file.read(len(_HDF5))
            if found == _HDF5:
                return ""
            if len(found) < len(_HDF5):
                break
            place *= 2
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<script")):
        return "an HTML page, as a download returns that asks to log in or to confirm; download the file itself"
    if start.startswith(b"<?xml"):
        return "an XML document, as a download returns that was refused; download the file itself"
    if not head.strip(b"\0"):
        return "only zero bytes at its beginning, as an interrupted download leaves; download it again"
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return "not an HDF5 file"
    return "text" if b"\0" not in head else "not an HDF5 file"


def what_holds(listing: Listing) -> str:
    """Return what an HDF5 file is that holds something else than labelled images, as the end of "it is"; or ""."""
    names = {path.partition("/")[0] for path in listing.groups}
    deep = [entry.path.split("/") for entry in listing.datasets]
    variables = any(len(path) > 2 and path[-2] == "vars" and path[-1].isdecimal() for path in deep)
    if _KERAS_ATTRIBUTES & set(listing.attributes) or _KERAS_GROUPS & names or variables:
        model = "model_config" in listing.attributes
        return "a model of Keras, not a data set" if model else "a file of Keras weights, not a data set"
    if any("pandas_type" in attributes for attributes in listing.groups.values()):
        return "a table of pandas, not images"
    if listing.attributes.get("encoding-type") == "anndata":
        return "an AnnData file, not images"
    if not listing.datasets:
        return "an HDF5 file without datasets"
    return ""
