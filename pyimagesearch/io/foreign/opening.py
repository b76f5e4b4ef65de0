"""Open files and datasets of strangers: what a file is, and datasets that lead elsewhere.

Links and virtual datasets can point to any file of the machine, so that paths are followed here step by step.
"""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

import h5py

from pyimagesearch.errors import UserError
from pyimagesearch.utils.text import printable

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAD, _LARGEST_USER_BLOCK = 1024, 2**20
_MOST_LINKS = 40
_LARGEST_CHUNK = 2**31
_BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; git lfs pull downloads it"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"PK\x03\x04", "a zip archive, as .zip, .npz and .keras files are; unpack it first"),
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


def what_is(path: str | os.PathLike[str]) -> str:
    """Return what a file is by its first bytes, as the end of "it is"; "" where it is HDF5.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
        place = 0
        while place <= _LARGEST_USER_BLOCK:  # HDF5 may begin after a block of the user's, of a power of two
            file.seek(place)
            found = file.read(len(_HDF5))
            if found == _HDF5:
                return ""
            if len(found) < len(_HDF5):
                break
            place = place * 2 or 512
    if not head:
        return "empty"
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


def require_hdf5(path: str | os.PathLike[str]) -> None:
    """Raise a UserError that says what a file is, unless it is HDF5."""
    if not os.path.isfile(path):
        raise UserError(
            f"data set: {os.fspath(path)} does not exist or is no file; check the path, "
            "or run the step that writes it first"
        )
    if what := what_is(path):
        raise UserError(f"data set: {os.fspath(path)} must be an HDF5 file; it is {what}; check the path")


def open_hdf5(path: str | os.PathLike[str], locked: bool = False) -> h5py.File:
    """Open an HDF5 file for reading, also one that this process has open elsewhere.

    Args:
        locked: try HDF5's own lock first, as ``h5py.File(path)`` takes it, rather than none.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        return h5py.File(path, "r", locking=None if locked else False)
    except OSError as first:
        try:
            return h5py.File(path, "r", locking=False if locked else None)  # all of one process must lock alike
        except OSError:
            raise first from None


def open_foreign(path: str | os.PathLike[str]) -> h5py.File:
    """Open an HDF5 file of another program, so that the rest of a notebook can open it too.

    Raises:
        UserError: it cannot be opened.
    """
    try:
        return open_hdf5(path, locked=True)
    except OSError as error:
        raise UserError(f"data set: {os.fspath(path)} cannot be opened as HDF5: {error}") from error


@contextmanager
def damage_named(file: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Turn what h5py raises over bytes that it cannot read into one clear error.

    Args:
        file: the file's path.
        what: what is read, as the beginning of "of the file cannot be read".

    Raises:
        UserError: bytes are damaged.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # a temporary file found no space
        raise UserError(
            f"data set: {what} of {os.fspath(file)} cannot be read ({error}); bytes are damaged; copy or build the "
            "file again"
        ) from error


def find(file: h5py.File, path: str, start: h5py.Group | None = None) -> h5py.Group | h5py.Dataset:
    """Return what lies at a path of an open file; soft links on the way are followed.

    Args:
        start: the group from which the path is followed, the root by default.

    Raises:
        UserError: nothing lies there, or the way leads out of the file or in a circle.
    """
    ahead = _names(path)
    here: h5py.Group | h5py.Dataset = start or file
    links = 0
    while ahead:
        name = ahead.pop()
        link = here.get(name, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            raise _lost(file, path, "leads to nothing")
        if isinstance(link, h5py.ExternalLink):
            raise _lost(file, path, f"leads to another file, {printable(link.filename)}:{printable(link.path)}")
        if isinstance(link, h5py.SoftLink):
            links += 1
            if links > _MOST_LINKS:
                raise _lost(file, path, "leads in a circle")
            ahead += _names(link.path)
            here = file if link.path.startswith("/") else here
        else:
            here = here[name]
    if not isinstance(here, h5py.Group | h5py.Dataset):
        raise _lost(file, path, "is neither a group nor a dataset")
    return here


def find_dataset(file: h5py.File, path: str) -> h5py.Dataset:
    """Return the dataset at a path, as `find` does.

    Raises:
        UserError: none lies there.
    """
    found = find(file, path)
    if not isinstance(found, h5py.Dataset):
        raise _lost(file, path, "is a group")
    return found


def problem_of(dataset: h5py.Dataset) -> str:
    """Return why a dataset's data cannot be read, as the end of a sentence that begins with its path; or "".

    Virtual datasets may map files of the same folder, and no others.
    """
    if dataset.external:
        return f"keeps its data in another file, {printable(dataset.external[0][0])}; put the data into this file"
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > _LARGEST_CHUNK:
        return f"has chunks of more than {_LARGEST_CHUNK / 2**30:.0f} GiB; write it in smaller ones"
    mapped = 0
    for source in dataset.virtual_sources() if dataset.is_virtual else ():
        if "%b" in source.file_name.replace("%%", "") or "%b" in source.dset_name.replace("%%", ""):
            return f"takes its data from files by a pattern, {printable(source.file_name)}; copy it into one dataset"
        wanted = source.vspace.get_select_npoints()
        mapped += wanted
        name = source.file_name.replace("%%", "%")
        if problem := _problem_of_source(dataset, name, source.dset_name, source.src_space, wanted):
            return f"takes its data from {problem}"
    if dataset.is_virtual and mapped < dataset.size:
        return f"takes {mapped:,} of its {dataset.size:,} values from other datasets; the rest has no source"
    return ""


def _problem_of_source(dataset: h5py.Dataset, name: str, key: str, space: h5py.h5s.SpaceID, wanted: int) -> str:
    if name == ".":
        return _problem_of_mapped(dataset.file, printable(key), key, space, wanted)
    folder = os.path.dirname(os.path.abspath(dataset.file.filename))
    path = os.path.normpath(os.path.join(folder, name))
    if os.path.dirname(path) != folder or os.path.islink(path):
        return f"{printable(name)}, outside its own folder; put both into one"
    if not os.path.isfile(path):
        return f"{printable(name)}, which is missing; put that file beside this one"
    try:
        with open_hdf5(path) as other:
            return _problem_of_mapped(other, printable(f"{name}:{key}"), key, space, wanted)
    except OSError as error:
        return f"{printable(name)}, which cannot be opened ({error})"


def _problem_of_mapped(file: h5py.File, shown: str, key: str, space: h5py.h5s.SpaceID, wanted: int) -> str:
    try:
        mapped = find_dataset(file, key)
    except UserError:
        return f"{shown}, which is missing"
    if mapped.is_virtual or mapped.external:
        return f"{shown}, which takes it from others; copy it into one dataset"
    if mapped.size and not mapped.id.get_storage_size():
        return f"{shown}, into which nothing was ever written"
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        small = mapped.size < wanted
    else:
        last = space.get_select_bounds()[1]
        small = len(last) != mapped.ndim or any(at >= side for at, side in zip(last, mapped.shape, strict=True))
    return f"{shown}, which has shape {mapped.shape}, too small for it" if small else ""


def _names(path: str) -> list[str]:
    """Return the names on a path, the last one first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _lost(file: h5py.File, path: str, what: str) -> UserError:
    return UserError(f"data set: {printable(path)} must be a dataset of {file.filename} itself; it {what}")
