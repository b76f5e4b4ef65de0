"""A trained backbone with a new head: one flat network, of which the last part learns."""

import math
from typing import NamedTuple

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import load_backbone
from pyimagesearch.nn.layers import seeded_dropout
from pyimagesearch.nn.modelfile import Preparation

_HEAD = "head_"
"""What the names of the layers of a head begin with: a loaded model is told apart by them."""
_MOMENTUM = 0.9
"""Of the head's batch normalisation; Keras's 0.99 would need hundreds of batches to know the features' means."""


class TransferNetwork(NamedTuple):
    """A backbone of `pyimagesearch.nn.backbones` and the head that is put on it.

    The head averages the maps over the image, and then has, as far as they are asked for, a batch
    normalisation, dense layers with ReLU, dropout, and the classes with softmax.

    Attributes:
        backbone: its name, in any case.
        weights: "imagenet", "none" or a file, as `load_backbone` takes them.
        alpha: width of a MobileNet, as a factor; 1 if None.
        size: width and height of the input, in pixels; the backbone's own if None.
        layer: the layer of the backbone that the head is put on; its last if empty.
        head: units of the dense layers before the classes.
        dropout: share of the classifier's inputs that are left out while training, in [0, 1).
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
            UserError: as `load_backbone`, or there is no such layer or width, or the images are too small.
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
            # Without a seed Keras leaves dropout to PyTorch, whose random state is in no file of the model.
            x = seeded_dropout(self.dropout, f"{_HEAD}dropout")(x)
        x = layers.Dense(classes, activation="softmax", name=f"{_HEAD}classes")(x)
        return keras.Model(backbone.inputs[0], x)

    def preparation(self, label_names: list[str], color_order: str = "BGR") -> Preparation:
        """Return what its input must be; arguments as of `Preparation.for_backbone`."""
        return Preparation.for_backbone(self.backbone, label_names, self.size, color_order)

    def _load(self) -> keras.Model:
        if self.alpha is not None and not 0 < self.alpha < math.inf:
            raise UserError(f"alpha: must be a number above 0, the width of a MobileNet; received {self.alpha}")
        return load_backbone(self.backbone, self.weights, self.alpha, size=self.size)


def backbone_layers(model: keras.Model) -> list[keras.Layer]:
    """Return the layers of a built network that are not of its head, in Keras's order, from the input on."""
    return [layer for layer in model.layers if not layer.name.startswith(_HEAD)]


def frozen_layers(model: keras.Model, freeze: str) -> int:
    """Return how many layers of the backbone shall stay as they are.

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
    """Let the network learn from the layer with number ``count`` on, the head in any case; compile it then.

    The batch normalisations of the whole backbone stay as they are: they go on using the means and
    variances of ImageNet. Those of a few small batches would undo what the layers behind them know
    (https://keras.io/guides/transfer_learning).
    """
    for number, layer in enumerate(backbone_layers(model)):
        layer.trainable = number >= count and not isinstance(layer, keras.layers.BatchNormalization)


def _output(backbone: keras.Model, name: str) -> keras.KerasTensor:
    try:
        return backbone.get_layer(name).output
    except ValueError:
        names = [layer.name for layer in backbone.layers if len(getattr(layer.output, "shape", ())) == 4]
        raise UserError(
            f"layer: must be a layer of {backbone.name}, as {names[len(names) // 2]}; received {name!r}"
        ) from None
