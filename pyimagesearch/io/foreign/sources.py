"""Datasets whose data lie elsewhere: external storage, and virtual datasets with the files that they map."""

import math
import os

import h5py

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.links import find_dataset
from pyimagesearch.utils.text import printable

_LARGEST_CHUNK = 2**31


def problem_of(dataset: h5py.Dataset) -> str:
    """Return why a dataset's data cannot be read, as the end of a sentence that begins with its path; or "".

    Virtual datasets may map files of the same folder, and no others.
    """
    if dataset.external:
        return f"keeps its data in another file, {printable(dataset.external[0][0])}; put the data into this file"
    if dataset.is_virtual:
        return _problem_of_virtual(dataset)
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > _LARGEST_CHUNK:
        return f"has chunks of more than {_LARGEST_CHUNK / 2**30:.0f} GiB; write it in smaller ones"
    return ""


def _problem_of_virtual(dataset: h5py.Dataset) -> str:
    mapped = 0
    for source in dataset.virtual_sources():
        name = source.file_name.replace("%%", "%")
        if "%b" in source.file_name.replace("%%", "") or "%b" in source.dset_name.replace("%%", ""):
            return f"takes its data from files by a pattern, {printable(source.file_name)}; copy it into one dataset"
        wanted = source.vspace.get_select_npoints()
        mapped += wanted
        if problem := _problem_of_source(dataset, name, source.dset_name, source.src_space, wanted):
            return problem
    if mapped < dataset.size:
        return f"takes {mapped:,} of its {dataset.size:,} values from other datasets; the rest has no source"
    return ""


def _problem_of_source(dataset: h5py.Dataset, name: str, key: str, space: h5py.h5s.SpaceID, wanted: int) -> str:
    folder = os.path.dirname(os.path.abspath(dataset.file.filename))
    path = os.path.normpath(os.path.join(folder, name))
    if name == ".":
        return _problem_of_part(dataset.file, name, key, space, wanted)
    shown = printable(name)
    if os.path.dirname(path) != folder or os.path.islink(path):
        return f"takes its data from {shown}, outside its own folder; put both into one"
    if not os.path.isfile(path):
        return f"takes its data from {shown}, which is missing; put that file beside this one"
    try:
        with h5py.File(path, "r") as other:
            return _problem_of_part(other, name, key, space, wanted)
    except OSError as error:
        return f"takes its data from {shown}, which cannot be opened ({error})"


def _problem_of_part(file: h5py.File, name: str, key: str, space: h5py.h5s.SpaceID, wanted: int) -> str:
    shown = printable(key if name == "." else f"{name}:{key}")
    try:
        part = find_dataset(file, key)
    except UserError:
        return f"takes its data from {shown}, which is missing"
    if part.is_virtual or part.external:
        return f"takes its data from {shown}, which takes it from others; copy it into one dataset"
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        small = part.size < wanted
    else:
        last = space.get_select_bounds()[1]
        small = len(last) != part.ndim or any(at >= side for at, side in zip(last, part.shape, strict=True))
    if small:
        return f"takes its data from {shown}, which has shape {part.shape}, too small for it"
    return ""
