"""Grad-CAM overlays of the page: where a convolutional network found what it decided by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError


class Heatmaps:
    """Draws overlays, and loads the model, and Keras with it, when the first one is asked for.

    Args:
        model_path: a ``.keras`` file; None if there is none.
        why_not: why there shall be no overlays, in a sentence; "" if there shall be.
    """

    def __init__(self, model_path: str | Path | None, why_not: str = "") -> None:
        self.why_not = why_not
        self._path = model_path
        self._parts: tuple[Any, ...] | None = None
        if not why_not and model_path is None:
            self.why_not = "No network is in the record, so there are no heat maps."
        elif not why_not and not Path(str(model_path)).is_file():
            self.why_not = f"The model {model_path} is not there any more, so there are no heat maps."

    def draw(self, images: Sequence[np.ndarray | None], predicted: Sequence[str]) -> list[np.ndarray | None]:
        """Return an overlay for every image, ndarray of shape (h, w, 3), uint8, BGR.

        It is None where it cannot be made, or where nothing in the image speaks for the class.

        Args:
            images: ndarrays of shape (h, w, channels), uint8, BGR.
            predicted: the class of each that its overlay explains.
        """
        overlays: list[np.ndarray | None] = [None] * len(images)
        if self.why_not or all(image is None for image in images):
            return overlays
        try:
            preparation, gradcam, overlay = self._load()
        except UserError as error:
            self.why_not = f"There are no heat maps: {error}."
            return overlays
        names = preparation.label_names
        known = [i for i, image in enumerate(images) if image is not None and predicted[i] in names]
        if known:
            resized = [preparation.resize().preprocess(images[i]) for i in known]
            batch = np.stack([_prepared(image, preparation) for image in resized])
            heat = gradcam.heatmap(batch, np.array([names.index(predicted[i]) for i in known]))
            for i, image, one in zip(known, resized, np.asarray(heat), strict=True):
                overlays[i] = overlay(image, one) if one.any() else None
        return overlays

    def _load(self) -> tuple[Any, ...]:
        if self._parts is None:
            from pyimagesearch.nn.gradcam import GradCAM, overlay
            from pyimagesearch.nn.modelfile import load_model

            model, preparation = load_model(str(self._path))
            self._parts = preparation, GradCAM(model), overlay
        return self._parts


def _prepared(image: np.ndarray, preparation: Any) -> np.ndarray:
    for step in preparation.normalize("BGR"):
        image = step.preprocess(image)
    return image
