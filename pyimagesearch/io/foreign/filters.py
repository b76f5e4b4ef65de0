"""Names of HDF5's filters, and those that the package hdf5plugin brings."""

import importlib

import h5py

NAMES = {
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 307: "bzip2", 32000: "lzf",
    32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd", 32017: "sz", 32018: "fcidecomp",
    32019: "jpeg", 32022: "bitgroom", 32023: "granular bitround", 32024: "sz3", 32026: "blosc2", 32028: "sperr",
}  # fmt: skip
"""Names of filters by their registered numbers."""

_OF_PLUGIN = {307, 32001, 32004, 32008, 32013, 32015, 32017, 32018, 32024, 32026, 32028}


def filters_of(dataset: h5py.Dataset) -> tuple[tuple[str, ...], str]:
    """Return the names of a dataset's filters, and what is missing to read it.

    hdf5plugin is imported where it is installed and needed.

    Returns:
        The names, and the end of a sentence that begins with the dataset's path; "" where nothing is missing.
    """
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    names = tuple(_name(code) for code in codes)
    missing = [code for code in codes if not _available(code)]
    if not missing:
        return names, ""
    code = missing[0]
    how = "pip install hdf5plugin" if code in _OF_PLUGIN else "the plugin of this filter must be on HDF5_PLUGIN_PATH"
    return names, f"is compressed by {_name(code)}, which this HDF5 library cannot read without a plugin: {how}"


def _name(code: int) -> str:
    return NAMES.get(code, f"filter {code}")


def _available(code: int) -> bool:
    if h5py.h5z.filter_avail(code):
        return True
    if code not in _OF_PLUGIN:
        return False
    try:
        importlib.import_module("hdf5plugin")  # registers its filters
    except ImportError:
        return False
    return bool(h5py.h5z.filter_avail(code))
