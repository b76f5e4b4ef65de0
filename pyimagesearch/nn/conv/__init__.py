"""Convolutional networks to train from scratch."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {"AlexNet": "alexnet", "CifarNet": "cifarnet", "MnistNet": "mnistnet", "mean_subtraction": "alexnet"}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
