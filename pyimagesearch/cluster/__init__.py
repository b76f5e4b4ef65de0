"""Run tasks in this process, in worker processes of this machine, or on a Dask cluster."""

from pyimagesearch.utils.lazy import lazy_exports

__all__ = ["open_cluster"]

__getattr__ = lazy_exports(__name__, {"open_cluster": "opening"})
