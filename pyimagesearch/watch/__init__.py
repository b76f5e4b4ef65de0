"""Follows a training live: a small page of this machine's own, or TensorBoard. Without Keras."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {"PageServer": "pageserver"}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
