"""A pretrained network, cut off before its classifier: its output describes an image."""

import os
from dataclasses import asdict, dataclass
from typing import Any

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import find_backbone, load_backbone
from pyimagesearch.nn.modelfile import Preparation, load_model, read_description
from pyimagesearch.utils.text import file_digest

PRECISIONS = ("float32", "mixed_bfloat16")

_ENDS_OF_BLOCKS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.Add,
    keras.layers.Concatenate,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)


@dataclass(frozen=True)
class FeatureNetwork:
    """The identity of a network: everything that tells it from another one.

    Attributes:
        model: name of a backbone, or a ``.keras`` file.
        weights: of a backbone: "imagenet", "none" (random) or a file; else empty.
        fingerprint: of the content of the file, if there is one; else empty.
        layer: the last layer; if empty, the one before the classifier.
        alpha: width of a MobileNet; None for 1.
        seed: of random weights; None for others.
    """

    model: str
    weights: str = ""
    fingerprint: str = ""
    layer: str = ""
    alpha: float | None = None
    seed: int | None = None

    @classmethod
    def find(cls, model: str, weights: str, layer: str, alpha: float | None, seed: int) -> "FeatureNetwork":
        """Find a network by name, and fingerprint the file that it comes from.

        Args:
            weights: as `load_backbone` takes them; empty for "imagenet", and for a ``.keras`` file.
            seed: of random weights, if these are asked for.

        Raises:
            UserError: there is no such network, or it has no such setting.
        """
        if model.endswith(".keras"):
            for argument, value in (("weights", weights), ("alpha", alpha)):
                if value:
                    raise UserError(f"{argument}: must be left out for {model}, which has its own; received {value}")
            read_description(model)
            return cls(model, "", file_digest(model), layer)
        name = find_backbone(model).builder.lower()
        if not os.path.isfile(weights):  # a word, or a missing file, which is refused on loading
            weights = weights or "imagenet"
            return cls(name, weights, "", layer, alpha, seed if weights == "none" else None)
        return cls(name, weights, file_digest(weights), layer, alpha)

    @property
    def file(self) -> str:
        """The file that the network comes from, or ""."""
        return (self.weights or self.model) if self.fingerprint else ""

    def recipe(self) -> dict[str, Any]:
        """Return the arguments that make the same network from any folder, without those that have their default."""
        default = asdict(FeatureNetwork(""))
        arguments = {name: value for name, value in asdict(self).items() if value != default[name]}
        if self.fingerprint:
            file = "weights" if self.weights else "model"
            arguments[file] = os.path.abspath(arguments[file])
        return arguments

    def verify_file(self) -> None:
        """Raise a `UserError` if the network's file is missing or has changed."""
        if not self.file:
            return
        if not os.path.isfile(self.file):
            raise UserError(f"recipe: {self.file}, which made the features, does not exist any more; restore it")
        if file_digest(self.file) != self.fingerprint:
            raise UserError(
                f"recipe: {self.file} has changed since it made the features; restore the old file, or extract the "
                "features again"
            )

    def load(self, precision: str, gray: bool = False) -> tuple[keras.Model, Preparation]:
        """Return the network, from input to features of shape (n, d), and the preparation of its input.

        Args:
            precision: one of `PRECISIONS`. Features are averaged in float32 in either case.
            gray: whether a network of gray images is welcome.

        Raises:
            UserError: as `load_backbone` or `load_model`, or there is no such layer.
        """
        if self.model.endswith(".keras"):
            model, preparation = load_model(self.model)
            output = self._output(model) if self.layer else _input_of_classifier(model, self.model)
        else:
            if self.seed is not None:
                keras.utils.set_random_seed(self.seed)
            model = load_backbone(self.model, self.weights, self.alpha)
            preparation = Preparation.for_backbone(self.model, [])
            output = self._output(model) if self.layer else model.output
        if channels_of(model) not in ((1, 3) if gray else (3,)):
            raise UserError(f"model: {self.model} must take images of 3 channels; it takes {model.input_shape}")
        if len(output.shape) > 2:
            pool = keras.layers.GlobalAveragePooling2D if len(output.shape) == 4 else keras.layers.Flatten
            output = pool()(output)
        model = keras.Model(model.inputs[0], output)
        if precision != "float32":
            _set_precision(model.layers, precision)
        return model, preparation

    def _output(self, model: keras.Model) -> keras.KerasTensor:
        try:
            return model.get_layer(self.layer).output
        except ValueError:
            raise UserError(
                f"layer: must be a layer of {self.model}, such as {', '.join(_block_ends(model))}; "
                f"received {self.layer!r}"
            ) from None

    def __str__(self) -> str:
        settings = {"weights": self.weights, "alpha": self.alpha, "layer": self.layer}
        words = [f"{name} {value}" for name, value in settings.items() if value]
        return ", ".join([self.model, *words, *(["the layer before its classifier"] if not words else [])])


def channels_of(model: keras.Model) -> int:
    """Return the number of channels of the images that a network takes."""
    return int(model.input_shape[-1 if keras.config.image_data_format() == "channels_last" else 1] or 0)


def _input_of_classifier(model: keras.Model, path: str) -> keras.KerasTensor:
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    if not dense:
        raise UserError(f"model: {path} must end in a dense classifier; it has no dense layer")
    return dense[-1].input


def _block_ends(model: keras.Model) -> list[str]:
    """Return the last layer that ends a block at each size of the feature maps, if its name is not a mere number."""
    # The blocks of ConvNeXt, and the layers between them, are nested models.
    nested = any(isinstance(layer, keras.Sequential) for layer in model.layers)
    kinds = keras.Sequential if nested else _ENDS_OF_BLOCKS
    last: dict[Any, str] = {}
    for layer in model.layers:
        shape = getattr(layer.output, "shape", ())
        numbered = layer.name.replace("_", "").startswith(type(layer).__name__.lower())
        if isinstance(layer, kinds) and len(shape) == 4 and not numbered:
            last[shape[1:3]] = layer.name
    return list(last.values()) or [layer.name for layer in model.layers]


def _set_precision(layers: list[keras.Layer], precision: str) -> None:
    for layer in layers:
        if not isinstance(layer, keras.layers.GlobalAveragePooling2D):
            layer.dtype_policy = precision
        _set_precision(getattr(layer, "layers", []), precision)
