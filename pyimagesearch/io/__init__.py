"""Reading and writing data sets: image folders, HDF5 files, batches for Keras."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "HDF5DatasetGenerator": "hdf5datasetgenerator",
    "HDF5DatasetWriter": "hdf5datasetwriter",
    "label_from_folder": "images.folder",
    "label_from_name": "images.folder",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
