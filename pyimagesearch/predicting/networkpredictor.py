"""Predictions of a network: one that was trained here, or one of Keras's, trained on ImageNet."""

from collections import Counter
from typing import Any

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import imagenet_labels, load_backbone
from pyimagesearch.nn.modelfile import Preparation, load_model
from pyimagesearch.predicting.predictor import CROPS, size_around
from pyimagesearch.preprocessing import AspectAwarePreprocessor, CropPreprocessor
from pyimagesearch.utils.atomic import PathLike


class NetworkPredictor:
    """A `Predictor` of a network that ends in probabilities.

    Images keep their aspect ratio, and what hangs over is cut off evenly, as the build step does; they pass
    through the size in which it stored the images that the network was trained on, if that is known.

    Args:
        model: the network, from images to probabilities.
        preparation: how an image becomes its input.
        crops: whether to average over ten crops of each image.

    Raises:
        UserError: the network takes no images of one or three channels.
    """

    def __init__(self, model: keras.Model, preparation: Preparation, crops: bool = False) -> None:
        axis = -1 if keras.config.image_data_format() == "channels_last" else 1
        self.label_names, self.channels = preparation.label_names, model.input_shape[axis]
        if len(model.input_shape) != 4 or self.channels not in (1, 3):
            raise UserError(
                f"model: must take images of 1 or 3 channels; it takes {model.input_shape}; use another one"
            )
        self.crops = CROPS if crops else 1
        self._model, self._normalize = model, preparation.normalize("BGR")
        size, stored = (preparation.width, preparation.height), preparation.stored_size
        first = (stored, stored) if stored else size_around(*size) if crops else size
        self._resize: list[Any] = [AspectAwarePreprocessor(*first)]
        if stored and not crops:
            self._resize.append(preparation.resize())
        self._crop = CropPreprocessor(*size) if crops else None

    @classmethod
    def from_file(cls, path: PathLike, crops: bool = False) -> "NetworkPredictor":
        """Use a ``.keras`` file of this package.

        Raises:
            UserError: as `load_model`.
        """
        model, preparation = load_model(path)
        return cls(model, preparation, crops)

    @classmethod
    def from_backbone(
        cls, name: str, weights: str = "imagenet", alpha: float | None = None, crops: bool = False
    ) -> "NetworkPredictor":
        """Use a network of ``keras.applications`` with ImageNet's 1000 classes.

        Args:
            name, weights, alpha: as `load_backbone` takes them.

        Raises:
            UserError: as `load_backbone` or `imagenet_labels`.
        """
        labels = imagenet_labels()
        counts = Counter(name for _, name in labels)  # two birds and two garments share a name
        label_names = [f"{name} ({number})" if counts[name] > 1 else name for number, name in labels]
        model = load_backbone(name, weights, alpha, top=True)
        return cls(model, Preparation.for_backbone(name, label_names), crops)

    def prepare(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the network's input, of shape (crops, h, w, channels) or, as Keras is set, channels first."""
        for step in self._resize:
            image = step.preprocess(image)
        parts = image[None] if self._crop is None else self._crop.preprocess(image)
        return [np.stack([self._normalized(part) for part in parts])]

    def _normalized(self, pixels: np.ndarray) -> np.ndarray:
        for step in self._normalize:
            pixels = step.preprocess(pixels)
        return pixels

    def scores(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Return the network's outputs, a row for each crop."""
        return np.asarray(self._model.predict_on_batch(inputs[0]))
