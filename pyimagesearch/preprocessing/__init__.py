"""Image preprocessors: each has ``preprocess(image) -> image`` and stands alone or in a list."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "AspectAwarePreprocessor": "aspectawarepreprocessor",
    "AugmentPreprocessor": "augmentpreprocessor",
    "CropPreprocessor": "croppreprocessor",
    "ImageToArrayPreprocessor": "imagetoarraypreprocessor",
    "MeanPreprocessor": "meanpreprocessor",
    "NormalizePreprocessor": "normalizepreprocessor",
    "PadPreprocessor": "padpreprocessor",
    "PatchPreprocessor": "patchpreprocessor",
    "SimplePreprocessor": "simplepreprocessor",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
