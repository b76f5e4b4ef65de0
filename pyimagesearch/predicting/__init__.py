"""Predictions of trained models for single images, and ways to show them."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "ContactSheet": "contactsheet",
    "find_images": "files",
    "in_order_of_ids": "writers",
    "open_predictor": "predictors",
    "open_writer": "writers",
    "page_paths": "contactsheet",
    "predict_files": "files",
    "write_predictions": "predictionsfile",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
