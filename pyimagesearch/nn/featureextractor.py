"""Feature vectors of images: the output of the layer before a network's classifier."""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import find_backbone, load_backbone, preprocess_function
from pyimagesearch.nn.modelfile import load_model
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils.digest import file_fingerprint


class FeatureExtractor:
    """Turns batches of BGR pixels into feature vectors.

    Make one by `from_backbone` or `from_model`.

    Attributes:
        resize: the preprocessor that gives images the network's input size.
        features: length of a feature vector.
        description: the network and its weights, in words.
        identity: a mark of the same, which depends on the content of files.
    """

    def __init__(
        self,
        model: keras.Model,
        resize: SimplePreprocessor,
        prepare: Callable[[np.ndarray], np.ndarray],
        description: str,
        identity: str,
    ) -> None:
        self._model, self.prepare = model, prepare
        self.resize, self.description, self.identity = resize, description, identity
        self.features = int(model.output_shape[-1])

    @classmethod
    def from_backbone(cls, name: str, weights: str) -> "FeatureExtractor":
        """Use a network of ``keras.applications`` (see `load_backbone` for the errors raised)."""
        size, preprocess_input = find_backbone(name).size, preprocess_function(name)

        def prepare(images: np.ndarray) -> np.ndarray:
            return preprocess_input(images[..., ::-1].astype(np.float32))

        model = load_backbone(name, weights)
        identity = f"{name} {file_fingerprint(weights) if os.path.isfile(weights) else weights}"
        return cls(model, SimplePreprocessor(size, size), prepare, f"{name}, weights {weights}", identity)

    @classmethod
    def from_model(cls, path: Any) -> "FeatureExtractor":
        """Use a trained model of this package, with the preparation that it was trained with.

        Raises:
            UserError: the file cannot be used (see `load_model`), or ends in no dense layer.
        """
        model, preparation = load_model(path)
        dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
        if not dense:
            raise UserError(f"model: {path} must end in a dense classifier; it has no dense layer")
        steps = preparation.normalize()

        def prepare(images: np.ndarray) -> np.ndarray:
            for step in steps:
                images = step.preprocess(images)
            return images

        headless = keras.Model(model.inputs, dense[-1].input)
        description = f"{path}, the layer before its classifier"
        return cls(headless, preparation.resize(), prepare, description, file_fingerprint(path))

    def extract(self, inputs: np.ndarray) -> np.ndarray:
        """Return features of shape (n, features), float32, of a batch that `prepare` made."""
        return np.asarray(self._model.predict_on_batch(inputs), np.float32)
