"""Classical learning on feature vectors with scikit-learn, in memory or out of core."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "Classifier": "classifier",
    "ClassifierFiles": "classifier",
    "LinearClassifierCV": "linearclassifiercv",
    "draw_confusion_matrix": "confusion",
    "evaluate_predictions": "metrics",
    "mcnemar": "metrics",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
