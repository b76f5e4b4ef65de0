"""Opens the parts of a stranger's HDF5 file without being led out of it, or into exhausted memory.

HDF5 files can point to other files of the machine, and can claim terabytes that they do not hold.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import Any

import h5py

from pyimagesearch.errors import UserError

_LARGEST_RATIO = 2000  # deflate reaches 1032


_ALWAYS_FINE = 2**20


_LARGEST_CHUNK = 2**29


_DAMAGE = (
    OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
)  # fmt: skip


@contextlib.contextmanager
def damage_reported(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what h5py and numpy raise over a damaged or hostile file into one clear error."""
    try:
        yield
    except UserError:
        raise
    except _DAMAGE as error:
        raise UserError(
            f"data set: {os.fspath(path)} is damaged, or holds what no data set holds "
            f"({type(error).__name__}: {error}); build it again, or do not trust it"
        ) from error


def open_dataset(file: h5py.File, name: str, shards: Collection[str] | None = None) -> h5py.Dataset | None:
    """Return a dataset of the file, or None where there is none of that name.

    Args:
        shards: names of files in the same folder, looked at elsewhere, which alone may hold the data; by default
            any file of that folder, looked at here.

    Raises:
        UserError: it is a link, keeps its data in other files, or claims far more data than it has.
    """
    link = file.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        target = f"{link.filename}:{link.path}" if isinstance(link, h5py.ExternalLink) else link.path
        raise _refused(file, f"{name} is a link to {target}")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset):
        return None
    if dataset.external:
        raise _refused(file, f"{name} keeps its data in {dataset.external[0][0]}")
    if dataset.is_virtual:
        _check_sources(file, dataset, shards)
    else:
        _check_claim(file, dataset)
    return dataset


def read_text(file: h5py.File, attribute: str, default: str = "") -> str:
    """Return an attribute of the root that is text, or ``default`` where it is none."""
    value: Any = file.attrs.get(attribute, default)
    return value if isinstance(value, str) else default


def source_files(dataset: h5py.Dataset) -> set[str]:
    """Return the names of the files to which a virtual dataset is mapped; "." is its own."""
    return {source.file_name.replace("%%", "%") for source in dataset.virtual_sources()}


def _check_sources(file: h5py.File, dataset: h5py.Dataset, shards: Collection[str] | None) -> None:
    if shards is not None:
        if others := source_files(dataset).difference(shards):
            raise _refused(file, f"{dataset.name} takes its data from {min(others)}, which is none of its shards")
        return
    folder = os.path.dirname(os.path.abspath(file.filename))
    for source in dataset.virtual_sources():
        name = source.file_name.replace("%%", "%")
        path = os.path.normpath(os.path.join(folder, name))
        if (os.path.dirname(path) != folder and name != ".") or os.path.islink(path):
            raise _refused(file, f"{dataset.name} takes its data from {name}, outside its own folder")
        if name != "." and os.path.isfile(path):
            with h5py.File(path, "r") as other:
                part = open_dataset(other, source.dset_name.lstrip("/"))
                if part is not None and part.is_virtual:
                    raise _refused(file, f"{dataset.name} takes its data from {path}, which takes it from others")


def _check_claim(file: h5py.File, dataset: h5py.Dataset) -> None:
    claimed = dataset.size * dataset.dtype.itemsize
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
        "do not trust it, or copy it with h5repack first"
    )
