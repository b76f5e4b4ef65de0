"""Convolutional networks to train from scratch."""

from pyimagesearch.utils.lazy import lazy_exports

__all__ = ["AlexNet", "mean_subtraction"]
__getattr__ = lazy_exports(__name__, {"AlexNet": "alexnet", "mean_subtraction": "alexnet"})
