"""Turn images into feature vectors with one or several pretrained networks."""

import json
import os
from collections.abc import Sequence

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.features.network import PRECISIONS, FeatureNetwork, channels_of
from pyimagesearch.nn.backbones import read_alpha
from pyimagesearch.preprocessing.resizing import resize
from pyimagesearch.utils.atomic import PathLike


class FeatureExtractor:
    """Turns images into feature vectors; those of several networks are concatenated.

    Made by `from_names`, `from_model` or `from_recipe`. It works in three steps, and any thread can do the first two
    ahead of the third::

        pixels = np.stack([extractor.resize.preprocess(image) for image in images])
        features = extractor.predict(extractor.prepare(pixels))

    Args:
        networks: the networks in the order of their features.
        flip: average the features of every image and of its mirror image.
        precision: "float32", or "mixed_bfloat16": faster on GPUs and on processors that calculate in
            bfloat16, slower on others; features keep two or three digits.
        stored_size: side in pixels of the squares that the images were stored as before; 0 if they were not.
        fit: how they were made such squares (see `preprocessing.fitting`).
        gray: whether the images are gray, in three equal channels; networks of one channel are welcome then.

    Attributes:
        resize: the preprocessor that resizes an image, BGR, to the input sizes of all networks.
        features: length of a feature vector.
        description: the networks and how they are used, in words.
        recipe: the same as JSON, which `from_recipe` reads.
        files: the files that the networks come from.
        stored_size, fit, gray: as given: other images must be made such squares, and gray, first.

    Raises:
        UserError: a network cannot be loaded (see `FeatureNetwork.load`), or the precision is unknown.
    """

    def __init__(
        self,
        networks: Sequence[FeatureNetwork],
        flip: bool = False,
        precision: str = "float32",
        stored_size: int = 0,
        fit: str = "crop",
        gray: bool = False,
    ) -> None:
        if precision not in PRECISIONS:
            raise UserError(f"precision: must be one of {', '.join(PRECISIONS)}; received {precision!r}")
        loaded = [network.load(precision, gray) for network in networks]
        self._models = [model for model, _ in loaded]
        self._sizes = [(preparation.width, preparation.height) for _, preparation in loaded]
        self._channels = [channels_of(model) for model, _ in loaded]
        self._steps = [preparation.normalize("BGR") for _, preparation in loaded]
        self._flip, self.stored_size, self.fit, self.gray = flip, stored_size, fit, gray
        self.resize = Sizes(list(dict.fromkeys(self._sizes)))
        self.features = sum(int(model.output_shape[-1]) for model in self._models)
        self.files = [network.file for network in networks if network.file]
        words = [str(network) for network in networks]
        words += ["averaged with the mirror image's"] * flip + [precision] * (precision != PRECISIONS[0])
        self.description = "; ".join(words)
        content = {"networks": [network.recipe() for network in networks], "flip": flip}
        content |= {"gray": True} if gray else {}
        self.recipe = json.dumps({**content, "precision": precision, "stored_size": stored_size, "fit": fit})

    @classmethod
    def from_names(
        cls,
        names: str,
        weights: str = "",
        *,
        layer: str = "",
        alpha: str | float | None = None,
        flip: bool = False,
        precision: str = "float32",
        seed: int = 0,
        stored_size: int = 0,
        fit: str = "crop",
        gray: bool = False,
    ) -> "FeatureExtractor":
        """Use networks of ``keras.applications`` and ``.keras`` files of this package.

        Args:
            names: keys of `BACKBONES` or files, separated by commas.
            weights, layer, alpha: as `load_backbone` and `FeatureNetwork` take them: one for all
                networks, or one for each, separated by commas; empty for the default.
            seed: of random weights.
        """
        models = names.split(",")
        count = len(models)
        alphas = map(read_alpha, _each("alpha", "" if alpha is None else str(alpha), count))
        settings = zip(models, _each("weights", weights, count), _each("layer", layer, count), alphas, strict=True)
        networks = [FeatureNetwork.find(*setting, seed) for setting in settings]
        return cls(networks, flip, precision, stored_size, fit, gray)

    @classmethod
    def from_model(cls, path: PathLike) -> "FeatureExtractor":
        """Use a trained model of this package, with the preparation that it was trained with."""
        return cls([FeatureNetwork.find(os.fspath(path), "", "", None, 0)])

    @classmethod
    def from_recipe(cls, text: str) -> "FeatureExtractor":
        """Make the extractor with this `recipe` again.

        Raises:
            UserError: the text is not a recipe, or a file that it names has changed or is missing.
        """
        try:
            content = json.loads(text)
            networks = [FeatureNetwork(**network) for network in content["networks"]]
            rest = content["flip"], content["precision"], int(content["stored_size"]), content.get("fit", "crop")
            gray = bool(content.get("gray"))
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(
                f"recipe: must come from FeatureExtractor.recipe; received {text[:80]!r}; extract the features again"
            ) from error
        for network in networks:
            network.verify_file()
        return cls(networks, *rest, gray)

    def prepare(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Return the input of every network, float32.

        Args:
            pixels: a stack of results of `resize`, of shape (n, pixels, 3), uint8, BGR.
        """
        inputs = []
        for (width, height), steps, channels in zip(self._sizes, self._steps, self._channels, strict=True):
            images = pixels[:, self.resize.places[width, height]].reshape(-1, height, width, 3)
            images = images[..., :1] if channels == 1 else images
            for step in steps:
                images = step.preprocess(images)
            inputs.append(images)
        return inputs

    def predict(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the features of a batch from `prepare`, of shape (n, features), float32."""
        pairs = zip(self._models, inputs, strict=True)
        return np.concatenate([self._features(model, images) for model, images in pairs], axis=1)

    def _features(self, model: keras.Model, images: np.ndarray) -> np.ndarray:
        features = np.asarray(model.predict_on_batch(images), np.float32)
        if not self._flip:
            return features
        width_axis = -2 if keras.config.image_data_format() == "channels_last" else -1
        mirrored = np.ascontiguousarray(np.flip(images, width_axis))
        return (features + np.asarray(model.predict_on_batch(mirrored), np.float32)) / 2


class Sizes:
    """Resizes an image to several sizes, ignoring the aspect ratio, and concatenates the pixels.

    Args:
        sizes: widths and heights, in pixels.

    Attributes:
        shape: of the result, (pixels, 3).
        places: the slice of the pixels of each size.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]]) -> None:
        ends = np.cumsum([width * height for width, height in sizes]).tolist()
        self.places = {size: slice(end - size[0] * size[1], end) for size, end in zip(sizes, ends, strict=True)}
        self.shape = (ends[-1], 3)

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        """Return the pixels, uint8, of an image of shape (h, w, 3), uint8."""
        result = np.empty(self.shape, np.uint8)
        for (width, height), place in self.places.items():
            resize(image, width, height, out=result[place].reshape(height, width, 3))
        return result


def _each(name: str, text: str, count: int) -> list[str]:
    values = text.split(",")
    if len(values) not in (1, count):
        raise UserError(
            f"{name}: must be one for all of {count} networks, or one for each, separated by commas; received {text!r}"
        )
    return values * count if len(values) < count else values
