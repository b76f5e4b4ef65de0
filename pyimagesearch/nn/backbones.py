"""Networks trained on ImageNet, and what each expects of an image."""

import importlib
import os
import socket
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from pyimagesearch.errors import UserError

_CONNECT_SECONDS = 10


class Backbone(NamedTuple):
    """A network of ``keras.applications``.

    Attributes:
        builder: its name there.
        module: the module there that holds its ``preprocess_input``, which takes RGB pixels.
        size: width and height of its input, in pixels.
        features: length of its pooled feature vector.
    """

    builder: str
    module: str
    size: int
    features: int


BACKBONES = {"resnet50": Backbone("ResNet50", "resnet50", 224, 2048)}


def find_backbone(name: str) -> Backbone:
    """Return a backbone by its name, in any case.

    Raises:
        UserError: there is none of that name.
    """
    try:
        return BACKBONES[name.lower()]
    except KeyError:
        raise UserError(f"model: must be one of {', '.join(BACKBONES)}, or a .keras file; received {name!r}") from None


def load_backbone(name: str, weights: str) -> keras.Model:
    """Return a network from RGB images to pooled features of shape (n, features).

    Args:
        name: a key of `BACKBONES`.
        weights: "imagenet" (Keras downloads them once), "none" for random ones, or a file.

    Raises:
        UserError: the weights are not on this disk and cannot be downloaded, or do not fit.
    """
    backbone = find_backbone(name)
    build = getattr(keras.applications, backbone.builder)
    source = None if weights == "none" else weights
    if source not in (None, "imagenet") and not os.path.isfile(weights):
        raise UserError(f"weights: must be imagenet, none or a file; received {weights}, which does not exist")
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        return build(weights=source, include_top=False, pooling="avg")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        if source is None:
            raise
        cause = (
            f"the ImageNet weights of {backbone.builder} are not in ~/.keras/models and could not be downloaded"
            if source == "imagenet"
            else f"{weights} does not fit {backbone.builder} without its top"
        )
        raise UserError(
            f"weights: {cause} ({error}); connect to the internet once, pass --weights FILE, or "
            "--model FILE.keras for the features of a network of your own"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)


def preprocess_function(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return Keras's own ``preprocess_input`` of a backbone, for RGB float32 batches."""
    module = importlib.import_module(f"keras.applications.{find_backbone(name).module}")
    return module.preprocess_input  # type: ignore[no-any-return]
