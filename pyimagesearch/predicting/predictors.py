"""Trained models that predict images as they come from a file."""

import abc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.features.imagesource import in_colour
from pyimagesearch.ml.classifier import Classifier
from pyimagesearch.nn.backbones import BACKBONES, imagenet_labels, load_backbone
from pyimagesearch.nn.modelfile import Preparation, load_model
from pyimagesearch.preprocessing import CropPreprocessor, SimplePreprocessor
from pyimagesearch.preprocessing.croppreprocessor import size_around
from pyimagesearch.preprocessing.fitting import fitting
from pyimagesearch.utils.atomic import PathLike

_CLASSIFIERS = (".skops", ".pickle")


class Predictor(abc.ABC):
    """A trained model and the preparation of its images.

    Args:
        label_names: the classes, in the order of the probabilities.
        channels: of the images that it takes: 3 for BGR, 1 for gray.
        resize: preprocessors that an image passes first.
        crop_size: width and height of the ten crops to average over; None takes the image whole.

    Attributes:
        label_names, channels: as given.
        crops: inputs that one image makes, 1 or 10.
    """

    def __init__(
        self, label_names: Sequence[str], channels: int, resize: Sequence, crop_size: tuple[int, int] | None
    ) -> None:
        self.label_names, self.channels = list(label_names), channels
        self.crops = 10 if crop_size else 1
        self._resize, self._crop = resize, CropPreprocessor(*crop_size) if crop_size else None

    def prepare(self, image: np.ndarray) -> list[np.ndarray]:
        """Turn an image into the inputs of the model's networks; any thread may call this.

        Args:
            image: ndarray of shape (h, w, channels), uint8.

        Returns:
            For each network an ndarray of shape (crops, ...), float32.
        """
        for step in self._resize:
            image = step.preprocess(image)
        return self._inputs(image[None] if self._crop is None else self._crop.preprocess(image))

    @abc.abstractmethod
    def scores(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Return the probabilities of each crop, of shape (n * crops, classes).

        Args:
            inputs: what `prepare` returned for n images, concatenated along the first axis.
        """

    @abc.abstractmethod
    def _inputs(self, crops: np.ndarray) -> list[np.ndarray]:
        """Return the inputs of the networks for the crops of one image."""


class NetworkPredictor(Predictor):
    """A network that ends in probabilities.

    Images are made to fit as in the build step, by default with their longer sides cropped evenly; they pass through
    the size in which the training images were stored, if the model file knows it.

    Args:
        model: the network, from images to probabilities.
        preparation: how an image becomes its input.
        crops: whether to average over ten crops of each image.

    Raises:
        UserError: the network takes no images of one or three channels.
    """

    def __init__(self, model: keras.Model, preparation: Preparation, crops: bool = False) -> None:
        channels = model.input_shape[-1 if keras.config.image_data_format() == "channels_last" else 1]
        if len(model.input_shape) != 4 or channels not in (1, 3):
            raise UserError(
                f"model: must take images of 1 or 3 channels; it takes {model.input_shape}; use another one"
            )
        size, stored = (preparation.width, preparation.height), preparation.stored_size
        first = (stored, stored) if stored else size_around(*size) if crops else size
        resize = [fitting(preparation.fit, *first), *([preparation.resize()] if stored and not crops else [])]
        super().__init__(preparation.label_names, channels, resize, size if crops else None)
        self._model, self._normalize = model, preparation.normalize("BGR")

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

    def scores(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Return the network's outputs."""
        return np.asarray(self._model.predict_on_batch(inputs[0]))

    def _inputs(self, crops: np.ndarray) -> list[np.ndarray]:
        return [np.stack([self._normalized(crop) for crop in crops])]

    def _normalized(self, pixels: np.ndarray) -> np.ndarray:
        for step in self._normalize:
            pixels = step.preprocess(pixels)
        return pixels


class ClassifierPredictor(Predictor):
    """A classifier of features, and the networks that extract these.

    Images are resized as for the extraction of its training features: the aspect ratio is kept only where the images
    had been stored as squares before.

    Args:
        classifier: a classifier that gives probabilities.
        extractor: what extracted its training features.
        crops: whether to average over ten crops of each image.

    Raises:
        UserError: the extractor's features are not as long as those that the classifier was trained on.
    """

    def __init__(self, classifier: Classifier, extractor: FeatureExtractor, crops: bool = False) -> None:
        wanted = getattr(classifier.estimator, "n_features_in_", extractor.features)
        if wanted != extractor.features:
            raise UserError(
                f"classifier: takes {wanted:,} features, but its recipe gives {extractor.features:,} "
                f"({extractor.description}); train it again"
            )
        stored, size = extractor.stored_size, max(extractor.resize.places)
        resize = [fitting(extractor.fit, stored, stored)] if stored else []
        resize += [SimplePreprocessor(*size_around(*size))] if crops else []
        super().__init__(classifier.label_names, 1 if extractor.gray else 3, resize, size if crops else None)
        self._classifier, self._extractor = classifier, extractor

    @classmethod
    def from_file(cls, path: PathLike, trust_pickle: bool = False, crops: bool = False) -> "ClassifierPredictor":
        """Use a ``.skops`` or ``.pickle`` file of this package.

        Args:
            trust_pickle: whether to load a pickle, which can run any program.

        Raises:
            UserError: as `Classifier.load` or `FeatureExtractor.from_recipe`, or the file has no recipe.
        """
        classifier = Classifier.load(path, trust_pickle)
        if not classifier.recipe:
            raise UserError(
                f"model: {path} must say how its features are extracted from an image, and does not; extract the "
                "features with this package, and train it again"
            )
        return cls(classifier, FeatureExtractor.from_recipe(classifier.recipe), crops)

    def scores(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Return the classifier's probabilities."""
        return self._classifier.predict_proba(self._extractor.predict(inputs))

    def _inputs(self, crops: np.ndarray) -> list[np.ndarray]:
        resize = self._extractor.resize
        return self._extractor.prepare(np.stack([resize.preprocess(in_colour(crop)) for crop in crops]))


def open_predictor(
    model: str, weights: str = "", alpha: float | None = None, *, crops: bool = False, trust_pickle: bool = False
) -> Predictor:
    """Load any model that this package can make.

    Args:
        model: a ``.keras`` file, a classifier's ``.skops`` or ``.pickle`` file, or a key of `BACKBONES`.
        weights, alpha: of a backbone, as `load_backbone` takes them; "imagenet" if ``weights`` is empty.
        crops: whether to average over ten crops of each image.
        trust_pickle: whether to load a pickle, which can run any program.

    Raises:
        UserError: there is no such model, it is not to be trusted, or it has no such setting.
    """
    predictor = _open(model, weights, alpha, crops, trust_pickle)
    if not all(isinstance(name, str) for name in predictor.label_names):
        raise UserError(
            f"model: the classes of {model} must have names; received {predictor.label_names}; train it again"
        )
    return predictor


def _open(model: str, weights: str, alpha: float | None, crops: bool, trust_pickle: bool) -> Predictor:
    suffix = Path(model).suffix
    if suffix != ".keras" and suffix not in _CLASSIFIERS:
        if model.lower() not in BACKBONES:
            raise UserError(
                f"model: must be a .keras, .skops or .pickle file, or one of {', '.join(BACKBONES)}; "
                f"received {model!r}; check its name"
            )
        return NetworkPredictor.from_backbone(model, weights or "imagenet", alpha, crops)
    for name, value in (("weights", weights), ("alpha", alpha)):
        if value:
            raise UserError(f"{name}: the model's file has its own; received {value} with {model}; leave it out")
    if suffix == ".keras":
        return NetworkPredictor(*load_model(model), crops)
    return ClassifierPredictor.from_file(model, trust_pickle, crops)
