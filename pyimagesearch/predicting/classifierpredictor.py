"""Predictions of a classifier of feature vectors, with the networks that make these of an image."""

from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.ml import classifierfile
from pyimagesearch.predicting.predictor import CROPS, size_around
from pyimagesearch.preprocessing import AspectAwarePreprocessor, CropPreprocessor, SimplePreprocessor
from pyimagesearch.utils.atomic import PathLike


class ClassifierPredictor:
    """A `Predictor` of a classifier and its feature extractor.

    Images are resized as for the extraction of features: the aspect ratio is kept only where images had been stored
    as squares before.

    Args:
        classifier: a classifier that gives probabilities.
        extractor: what made the features that it was trained on.
        crops: whether to average over ten crops of each image.

    Raises:
        UserError: the extractor's features are not as long as those that the classifier was trained on.
    """

    channels = 3

    def __init__(self, classifier: classifierfile.Classifier, extractor: FeatureExtractor, crops: bool = False) -> None:
        wanted = getattr(classifier.estimator, "n_features_in_", extractor.features)
        if wanted != extractor.features:
            raise UserError(
                f"classifier: takes {wanted:,} features, but its recipe gives {extractor.features:,} "
                f"({extractor.description}); train it again"
            )
        self.label_names = classifier.label_names
        self.crops = CROPS if crops else 1
        self._classifier, self._extractor = classifier, extractor
        self._resize: list[Any] = []
        if extractor.stored_size:
            self._resize.append(AspectAwarePreprocessor(extractor.stored_size, extractor.stored_size))
        if crops:
            size = max(extractor.resize.places)
            self._resize.append(SimplePreprocessor(*size_around(*size)))
            self._crop = CropPreprocessor(*size)

    @classmethod
    def from_file(cls, path: PathLike, trust_pickle: bool = False, crops: bool = False) -> "ClassifierPredictor":
        """Use a ``.skops`` or ``.pickle`` file of this package.

        Args:
            trust_pickle: whether a pickle may be loaded, which can run any program.

        Raises:
            UserError: as `classifierfile.load` or `FeatureExtractor.from_recipe`, or the file has no recipe.
        """
        classifier = classifierfile.load(path, trust_pickle)
        if not classifier.recipe:
            raise UserError(
                f"--model: {path} must say how its features are made of an image, and does not; extract the "
                "features with extract_features, and train it again"
            )
        return cls(classifier, FeatureExtractor.from_recipe(classifier.recipe), crops)

    def prepare(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the input of each network of the extractor."""
        for step in self._resize:
            image = step.preprocess(image)
        parts = [image] if self.crops == 1 else self._crop.preprocess(image)
        return self._extractor.prepare(np.stack([self._extractor.resize.preprocess(part) for part in parts]))

    def scores(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Return the classifier's probabilities, a row for each crop."""
        return self._classifier.predict_proba(self._extractor.extract(inputs))
