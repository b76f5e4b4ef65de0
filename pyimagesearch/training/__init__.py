"""Training that survives: exact resume, stages, and the devices and hosts it runs on."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {"Layout": "hosts", "Training": "training", "find_layout": "hosts", "learning_rate": "fit"}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
