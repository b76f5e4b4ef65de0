"""Image files: where they are, and what is in them."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {"Decoding": "decoding", "list_images": "csvlist", "read_image": "decoding"}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
