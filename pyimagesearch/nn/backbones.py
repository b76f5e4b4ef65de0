"""Networks trained on ImageNet, and the input that each expects."""

import contextlib
import importlib
import math
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from pyimagesearch.errors import UserError

_CONNECT_SECONDS = 10
_UNFIT = (ValueError, TypeError, LookupError, OSError, RuntimeError)
"""Errors of Keras and h5py on a weights file of another network or another kind."""


class Scaling(NamedTuple):
    """A network's input made of pixels in [0, 255]: (pixel - mean) / deviation, channel by channel.

    Attributes:
        order: of the input's channels, "BGR" or "RGB".
        means, deviations: of each colour, keyed "R", "G", "B".
    """

    order: str
    means: dict[str, float]
    deviations: dict[str, float]


def _colors(r: float, g: float, b: float) -> dict[str, float]:
    return {"R": r, "G": g, "B": b}


UNSCALED = Scaling("RGB", _colors(0, 0, 0), _colors(1, 1, 1))
"""The network scales pixels itself."""
CAFFE = Scaling("BGR", _colors(123.68, 116.779, 103.939), _colors(1, 1, 1))
SYMMETRIC = Scaling("RGB", _colors(127.5, 127.5, 127.5), _colors(127.5, 127.5, 127.5))
STANDARDIZED = Scaling(
    "RGB",
    _colors(0.485 * 255, 0.456 * 255, 0.406 * 255),
    _colors(0.229 * 255, 0.224 * 255, 0.225 * 255),
)


class Backbone(NamedTuple):
    """A network of ``keras.applications``.

    Attributes:
        builder: its name there.
        module: the module there that holds its ``preprocess_input``.
        size: width and height of its input, in pixels.
        features: length of its feature vector, at an alpha of 1.
        scaling: its input made of pixels.
        layer: the layer whose output, averaged over the image, is the feature vector; None where only the output
            of the whole network without its top is, as no layer there has a fixed name.
    """

    builder: str
    module: str
    size: int
    features: int
    scaling: Scaling
    layer: str | None

    @property
    def has_alpha(self) -> bool:
        """True if it comes in several widths."""
        return self.builder.startswith("MobileNet")

    @property
    def preprocess_input(self) -> Callable[[np.ndarray], np.ndarray]:
        """Keras's own function for RGB float32 batches, which `scaling` describes."""
        return importlib.import_module(f"keras.applications.{self.module}").preprocess_input  # type: ignore[no-any-return]


_ROWS = [
    Backbone("ResNet50", "resnet50", 224, 2048, CAFFE, "conv5_block3_out"),
    Backbone("ResNet50V2", "resnet_v2", 224, 2048, SYMMETRIC, "post_relu"),
    Backbone("ResNet101", "resnet", 224, 2048, CAFFE, "conv5_block3_out"),
    Backbone("ResNet152", "resnet", 224, 2048, CAFFE, "conv5_block3_out"),
    Backbone("VGG16", "vgg16", 224, 512, CAFFE, "block5_pool"),
    Backbone("VGG19", "vgg19", 224, 512, CAFFE, "block5_pool"),
    Backbone("InceptionV3", "inception_v3", 299, 2048, SYMMETRIC, "mixed10"),
    Backbone("Xception", "xception", 299, 2048, SYMMETRIC, "block14_sepconv2_act"),
    Backbone("MobileNet", "mobilenet", 224, 1024, SYMMETRIC, "conv_pw_13_relu"),
    Backbone("MobileNetV2", "mobilenet_v2", 224, 1280, SYMMETRIC, "out_relu"),
    Backbone("MobileNetV3Large", "mobilenet_v3", 224, 960, UNSCALED, "avg_pool"),
    Backbone("MobileNetV3Small", "mobilenet_v3", 224, 576, UNSCALED, "avg_pool"),
    Backbone("DenseNet121", "densenet", 224, 1024, STANDARDIZED, "relu"),
    Backbone("DenseNet169", "densenet", 224, 1664, STANDARDIZED, "relu"),
    Backbone("DenseNet201", "densenet", 224, 1920, STANDARDIZED, "relu"),
    Backbone("EfficientNetB0", "efficientnet", 224, 1280, UNSCALED, "top_activation"),
    Backbone("EfficientNetB1", "efficientnet", 240, 1280, UNSCALED, "top_activation"),
    Backbone("EfficientNetB2", "efficientnet", 260, 1408, UNSCALED, "top_activation"),
    Backbone("EfficientNetB3", "efficientnet", 300, 1536, UNSCALED, "top_activation"),
    Backbone("EfficientNetB4", "efficientnet", 380, 1792, UNSCALED, "top_activation"),
    Backbone("EfficientNetB5", "efficientnet", 456, 2048, UNSCALED, "top_activation"),
    Backbone("EfficientNetB6", "efficientnet", 528, 2304, UNSCALED, "top_activation"),
    Backbone("EfficientNetB7", "efficientnet", 600, 2560, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2B0", "efficientnet_v2", 224, 1280, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2B1", "efficientnet_v2", 240, 1280, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2B2", "efficientnet_v2", 260, 1408, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2B3", "efficientnet_v2", 300, 1536, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2S", "efficientnet_v2", 384, 1280, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2M", "efficientnet_v2", 480, 1280, UNSCALED, "top_activation"),
    Backbone("EfficientNetV2L", "efficientnet_v2", 480, 1280, UNSCALED, "top_activation"),
    Backbone("ConvNeXtTiny", "convnext", 224, 768, UNSCALED, None),
    Backbone("ConvNeXtSmall", "convnext", 224, 768, UNSCALED, None),
    Backbone("ConvNeXtBase", "convnext", 224, 1024, UNSCALED, None),
    Backbone("ConvNeXtLarge", "convnext", 224, 1536, UNSCALED, None),
    Backbone("ConvNeXtXLarge", "convnext", 224, 2048, UNSCALED, None),
]
BACKBONES = {row.builder.lower(): row for row in _ROWS}


def find_backbone(name: str) -> Backbone:
    """Return a backbone by its name, in any case.

    Raises:
        UserError: there is no such backbone.
    """
    try:
        return BACKBONES[name.lower()]
    except KeyError:
        raise UserError(f"model: must be one of {', '.join(BACKBONES)}, or a .keras file; received {name!r}") from None


def read_alpha(alpha: float | str | None) -> float | None:
    """Return the width of a MobileNet as a number; None or "" asks for its default of 1.

    Raises:
        UserError: it is no number above 0.
    """
    try:
        number = None if alpha in (None, "") else float(alpha)  # type: ignore[arg-type]
    except ValueError:
        number = -1.0
    if number is None or 0 < number < math.inf:
        return number
    raise UserError(f"alpha: must be a number above 0, the width of a MobileNet as a factor; received {alpha!r}")


def load_backbone(
    name: str, weights: str, alpha: float | None = None, top: bool = False, *, size: int | None = None
) -> keras.Model:
    """Return a network whose input is scaled as its `Backbone.scaling` says.

    Args:
        name: a key of `BACKBONES`, in any case.
        weights: "imagenet" (Keras downloads them once), "none" for random ones, or a file of Keras's
            weights for ImageNet; a file of the whole network also serves without the top.
        alpha: width of a MobileNet, as a factor; None for 1.
        top: whether to end in the classifier of `imagenet_labels`, with outputs of shape (n, 1000) that
            sum to 1, instead of pooled features of shape (n, features).
        size: width and height of its input, in pixels; None for the backbone's own.

    Raises:
        UserError: the weights are not on this disk and cannot be downloaded, or do not fit; or the
            network has no alpha.
    """
    backbone, alpha = find_backbone(name), read_alpha(alpha)
    if alpha is not None and not backbone.has_alpha:
        raise UserError(
            f"alpha: must be given for MobileNets only; received {alpha} for {backbone.builder}; leave it out"
        )
    if weights not in ("imagenet", "none") and not os.path.isfile(weights):
        raise UserError(f"weights: must be imagenet, none or a file; received {weights}, which does not exist")
    channels_first = keras.config.image_data_format() == "channels_first"
    side = (size or backbone.size,) * 2
    options: dict[str, Any] = {"input_shape": (3, *side) if channels_first else (*side, 3), "pooling": "avg"}
    if alpha is not None:
        options["alpha"] = alpha
    build = getattr(keras.applications, backbone.builder)
    if weights == "none":
        try:
            return build(weights=None, include_top=top, **options)
        except ValueError as error:  # each has a smallest size, and MobileNets have certain widths
            raise UserError(
                f"size, alpha: {backbone.builder} cannot be made for images of {side[0]}x{side[0]} pixels, alpha "
                f"{alpha or 1} ({error}); choose others"
            ) from error
    if weights == "imagenet":
        with _downloads(f"the ImageNet weights of {backbone.builder}"):
            return build(weights=weights, include_top=top, **options)
    try:
        model = _load_file(backbone, weights, top, options)
    except _UNFIT as error:
        width = f" with alpha {alpha or 1}" if backbone.has_alpha else ""
        whole = "with its top" if top else "with or without its top"
        raise UserError(
            f"weights: {weights} does not fit {backbone.builder}{width}, {whole} ({error}); pass Keras's file for "
            f"this network{' and its alpha' if width else ''}"
        ) from error
    return keras.Model(model.inputs[0], model.output, name=model.name)  # Keras may have made it with a list of inputs


def _load_file(backbone: Backbone, path: str, top: bool, options: dict[str, Any]) -> keras.Model:
    build = getattr(keras.applications, backbone.builder)
    if backbone.module == "efficientnet":
        options = {**options, "input_tensor": _efficientnet_input(options["input_shape"])}
    try:
        return build(weights=path, include_top=top, **options)
    except _UNFIT:
        if top:
            raise
        model = build(weights=None, include_top=False, **options)
        whole = build(weights=None, include_top=True, **{k: v for k, v in options.items() if k == "alpha"})
        whole.load_weights(path)
        model.set_weights(whole.get_weights()[: len(model.get_weights())])  # those of the top come last
        return model


def _efficientnet_input(shape: tuple[int, ...]) -> keras.KerasTensor:
    """Return an input that divides by the root of the deviations once more, as in the training of these networks.

    Keras builds that into EfficientNet for its own download of the weights, not for the same weights
    from a file. Here it comes before Keras's (x / 255 - mean) / deviation, there after it.
    """
    means = np.array([STANDARDIZED.means[color] for color in "RGB"])
    factors = 1 / np.sqrt([STANDARDIZED.deviations[color] / 255 for color in "RGB"])
    rescale = keras.layers.Rescaling(factors.tolist(), (means * (1 - factors)).tolist())
    return rescale(keras.Input(shape))


@contextlib.contextmanager
def _downloads(what: str) -> Iterator[None]:
    """Give up soon without a network connection, and say what to do."""
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        yield
    except ValueError as error:  # Keras has no such weights
        raise UserError(f"weights: {what} cannot be loaded: {error}") from error
    except Exception as error:
        if type(error) is not Exception and not isinstance(error, OSError):  # Keras: a bare Exception for a download
            raise
        raise UserError(
            f"weights: {what} are not in ~/.keras/models and could not be downloaded ({error}); connect to the "
            "internet once, pass weights=FILE, or model=FILE.keras for a network of your own"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)


def imagenet_labels() -> list[tuple[str, str]]:
    """Return WordNet's number and the name of each of ImageNet's 1000 classes, in the order of a network's outputs.

    Raises:
        UserError: the names are not on this disk and cannot be downloaded.
    """
    falling = -np.arange(1000, dtype=np.float32)[None]
    with _downloads("the names of ImageNet's classes"):
        decoded = keras.applications.imagenet_utils.decode_predictions(falling, top=1000)[0]
    return [(number, name) for number, name, _ in decoded]
