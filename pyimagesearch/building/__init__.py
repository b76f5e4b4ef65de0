"""Image files become train, val and test files: scan, find duplicates, split, pack."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {"Screening": "screening", "SplitBuilder": "splitbuilder", "split": "splitting"}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
