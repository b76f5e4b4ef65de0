"""Small helpers: ranked accuracy, progress, threads, text, atomic files."""

from pyimagesearch.utils.lazy import lazy_exports

__all__ = ["rank5_accuracy"]
__getattr__ = lazy_exports(__name__, {"rank5_accuracy": "ranked"})
