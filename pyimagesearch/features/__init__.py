"""Feature vectors of images: a pretrained network, the extraction, the file of features."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "FeatureExtraction": "extraction",
    "FeatureExtractor": "extractor",
    "FeatureFile": "featurefile",
    "open_images": "imagesource",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
