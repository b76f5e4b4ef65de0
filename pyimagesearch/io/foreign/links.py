"""Follows paths and soft links inside an HDF5 file, and never out of it."""

import h5py

from pyimagesearch.errors import UserError
from pyimagesearch.utils.text import printable

_MOST_LINKS = 40


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
            continue
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


def _names(path: str) -> list[str]:
    """Return the names on a path, the last one first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _lost(file: h5py.File, path: str, what: str) -> UserError:
    return UserError(f"data set: {printable(path)} must be a dataset of {file.filename} itself; it {what}")
