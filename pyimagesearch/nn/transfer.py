"""A trained backbone with a new head: one flat network, whose upper layers learn."""

from typing import NamedTuple

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import load_backbone
from pyimagesearch.nn.layers import seeded_dropout
from pyimagesearch.nn.modelfile import Preparation

_HEAD = "head_"
"""Prefix of the names of a head's layers, by which it is found in a loaded model."""
_MOMENTUM = 0.9
"""Of the head's batch normalisation; Keras's 0.99 would need hundreds of batches to learn the features' means."""


class TransferNetwork(NamedTuple):
    """A backbone of `pyimagesearch.nn.backbones` and the head that is put on it.

    The head averages the maps over the image. Batch normalisation, dense layers with ReLU and dropout follow, each
    if asked for, and then the classes with softmax.

    Attributes:
        backbone: its name, in any case.
        weights: "imagenet", "none" or a file, as `load_backbone` takes them.
        alpha: width of a MobileNet, as a factor; 1 if None.
        size: width and height of the input, in pixels; the backbone's own if None.
        layer: the layer of the backbone that the head is put on; if empty, the last.
        head: units of the dense layers before the classes.
        dropout: share of the last layer's inputs that training leaves out, in [0, 1).
        batch_norm: whether the head begins with a batch normalisation.
    """

    backbone: str
    weights: str = "imagenet"
    alpha: float | None = None
    size: int | None = None
    layer: str = ""
    head: tuple[int, ...] = ()
    dropout: float = 0.0
    batch_norm: bool = False

    def build(self, classes: int) -> keras.Model:
        """Return the network, from images of shape (n, size, size, 3) to probabilities of shape (n, classes).

        Raises:
            UserError: as `load_backbone`, or there is no such layer or width.
        """
        layers = keras.layers
        backbone = self._load()
        x = backbone.output
        if self.layer:
            x = _output(backbone, self.layer)
            x = layers.GlobalAveragePooling2D(name=f"{_HEAD}pool")(x) if len(x.shape) == 4 else x
        if self.batch_norm:
            x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{_HEAD}norm")(x)
        for number, units in enumerate(self.head, 1):
            x = layers.Dense(units, activation="relu", name=f"{_HEAD}dense_{number}")(x)
        if self.dropout:
            x = seeded_dropout(self.dropout, f"{_HEAD}dropout")(x)
        x = layers.Dense(classes, activation="softmax", name=f"{_HEAD}classes", dtype="float32")(x)
        return keras.Model(backbone.inputs[0], x)

    def preparation(
        self, label_names: list[str], color_order: str = "BGR", stored_size: int = 0, fit: str = "crop"
    ) -> Preparation:
        """Describe its input; arguments as of `Preparation`."""
        preparation = Preparation.for_backbone(self.backbone, label_names, self.size, color_order)
        return preparation._replace(stored_size=stored_size, fit=fit)

    def _load(self) -> keras.Model:
        return load_backbone(self.backbone, self.weights, self.alpha, size=self.size)


def backbone_layers(model: keras.Model) -> list[keras.Layer]:
    """Return the layers of a built network below its head, in Keras's order, from the input on."""
    return [layer for layer in model.layers if not layer.name.startswith(_HEAD)]


def frozen_layers(model: keras.Model, freeze: str) -> int:
    """Return the number of layers of the backbone to freeze.

    Args:
        freeze: "all", a number of layers, or the name of the last one.

    Raises:
        UserError: it is none of these.
    """
    names = [layer.name for layer in backbone_layers(model)]
    if freeze == "all":
        return len(names)
    if freeze in names:
        return names.index(freeze) + 1
    if freeze.isdecimal() and int(freeze) <= len(names):
        return int(freeze)
    raise UserError(
        f"freeze: must be all, a number of layers from 0 to {len(names)}, or the name of a layer, as "
        f"{names[len(names) // 2]}; received {freeze!r}"
    )


def freeze_layers(model: keras.Model, count: int) -> None:
    """Freeze the first ``count`` layers of the backbone; compile the network after this.

    The batch normalisations of the whole backbone stay frozen, too, with the means and variances of ImageNet:
    those of a few small batches would undo what the layers after them learned
    (https://keras.io/guides/transfer_learning).
    """
    for index, layer in enumerate(backbone_layers(model)):
        layer.trainable = index >= count and not isinstance(layer, keras.layers.BatchNormalization)


def _output(backbone: keras.Model, name: str) -> keras.KerasTensor:
    try:
        return backbone.get_layer(name).output
    except ValueError:
        names = [layer.name for layer in backbone.layers if len(getattr(layer.output, "shape", ())) == 4]
        raise UserError(
            f"layer: must be a layer of {backbone.name}, as {names[len(names) // 2]}; received {name!r}"
        ) from None
