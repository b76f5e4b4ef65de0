"""Read a stranger's HDF5 file without being led out of it, or into exhausted memory.

HDF5 files can point to other files of the machine, and can claim terabytes that they do not hold.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import Any

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.layout import DATASETS

_LARGEST_RATIO = 2000  # deflate reaches 1032
_ALWAYS_FINE = 2**20
_LARGEST_CHUNK = 2**29


def damaged(path: str | os.PathLike[str], what: object) -> UserError:
    """Return the error that says what is wrong with the contents of a file."""
    return UserError(
        f"data set: {os.fspath(path)} is damaged, or holds what no data set holds ({what}); build it again, or do not "
        "trust it"
    )


@contextlib.contextmanager
def damage_reported(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what h5py raises over a damaged or hostile file into one clear error; for blocks of calls to h5py alone.

    Errors of type that h5py raises over unknown types of data are dealt with where attributes and datasets are opened.
    """
    try:
        yield
    except UserError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, MemoryError, OverflowError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def open_dataset(file: h5py.File, name: str, shards: Collection[str] | None = None) -> h5py.Dataset | None:
    """Return a dataset of the file, or None where it has none of that name.

    Args:
        name: one of `layout.DATASETS`: others were not opened in the sandbox.
        shards: names of files in the same folder, validated elsewhere, which alone may hold the data; by default
            any file of that folder.

    Raises:
        UserError: it is a link, keeps its data in other files, or claims far more data than it has.
    """
    assert name in DATASETS, name
    with damage_reported(file.filename):
        return _open(file, name, shards)


def read_dataset(file: h5py.File, name: str) -> np.ndarray | None:
    """Return all values of a dataset, or None where there is none; otherwise as `open_dataset`."""
    dataset = open_dataset(file, name)
    with damage_reported(file.filename):
        return None if dataset is None else np.asarray(dataset[()])


def read_strings(file: h5py.File, name: str) -> list[str]:
    """Return a dataset of strings, or an empty list where there is none; otherwise as `open_dataset`."""
    strings = open_dataset(file, name)
    if strings is None:
        return []
    if strings.ndim != 1 or h5py.check_string_dtype(strings.dtype) is None:
        raise damaged(file.filename, f"{name} must be a list of strings; it has shape {strings.shape}, {strings.dtype}")
    with damage_reported(file.filename):
        return strings.asstr()[:].tolist()


def read_attribute(file: h5py.File, name: str) -> Any:
    """Return an attribute of the root, or None where there is none.

    Raises:
        UserError: it is of a type that h5py does not know.
    """
    with damage_reported(file.filename):
        try:
            return file.attrs.get(name)
        except TypeError as error:
            raise damaged(file.filename, f"its attribute {name}: {error}") from error


def read_text(file: h5py.File, attribute: str) -> str:
    """Return an attribute of the root that is text, or "" where it is none."""
    value = read_attribute(file, attribute)
    return value if isinstance(value, str) else ""


def read_number(file: h5py.File, attribute: str) -> int | None:
    """Return an attribute of the root that is a whole number or a boolean, or None where it is neither."""
    value = read_attribute(file, attribute)
    return int(value) if isinstance(value, np.integer | np.bool_) else None


def source_files(dataset: h5py.Dataset) -> set[str]:
    """Return the names of the files to which a virtual dataset is mapped; "." is its own."""
    return {source.file_name.replace("%%", "%") for source in dataset.virtual_sources()}


def _open(file: h5py.File, name: str, shards: Collection[str] | None) -> h5py.Dataset | None:
    link = file.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        target = f"{link.filename}:{link.path}" if isinstance(link, h5py.ExternalLink) else link.path
        raise _refused(file, f"{name} is a link to {target}")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset):
        return None
    try:
        dataset.dtype  # noqa: B018 - h5py works it out now
    except TypeError as error:
        raise damaged(file.filename, f"{name}: {error}") from error
    if dataset.external:
        raise _refused(file, f"{name} keeps its data in {dataset.external[0][0]}")
    if dataset.is_virtual:
        folder = os.path.dirname(file.filename)
        for name in sorted(source_files(dataset)):
            beside = os.path.basename(name) == name and not os.path.islink(os.path.join(folder, name))
            if not (beside if shards is None else name in shards):
                raise _refused(file, f"{dataset.name} takes its data from {name}, which is none of its shards")
    else:
        _check_claim(file, dataset)
    return dataset


def _check_claim(file: h5py.File, dataset: h5py.Dataset) -> None:
    claimed = (dataset.size or 0) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    packed = dataset.chunks is not None and dataset.id.get_create_plist().get_nfilters() > 0
    if claimed > _ALWAYS_FINE and claimed > stored * (_LARGEST_RATIO if packed else 1):
        raise _refused(file, f"{dataset.name} claims {claimed:,} bytes and holds {stored:,}")
    if dataset.chunks is not None:
        chunk = dataset.dtype.itemsize
        for side in dataset.chunks:
            chunk *= side
        if chunk > _LARGEST_CHUNK:
            raise _refused(file, f"{dataset.name} has chunks of {chunk:,} bytes, more than {_LARGEST_CHUNK:,}")


def _refused(file: h5py.File, what: str) -> UserError:
    return UserError(
        f"data set: {file.filename} must hold all of its data itself, and no more than it says; {what}; "
        "build it again, or do not trust it"
    )
