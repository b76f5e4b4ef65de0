"""Networks without convolutions: they see an image as one long row of numbers."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {"MultilayerPerceptron": "multilayerperceptron", "SoftmaxRegression": "softmaxregression"}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
