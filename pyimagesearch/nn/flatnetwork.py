"""A network as one flat graph of layers, without nested networks, so that it can be split anywhere."""

from typing import Any, NamedTuple

import keras

from pyimagesearch.errors import UserError

_CONVOLUTIONS = (
    keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D,
)  # fmt: skip


_NO_MAPS_OF_THEIR_OWN = (
    keras.layers.BatchNormalization, keras.layers.LayerNormalization, keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
)  # fmt: skip


class Call(NamedTuple):
    """A layer's call: its input and its output."""

    layer: Any
    inputs: Any
    output: Any


class FlatNetwork:
    """The layers of a network, including those of nested networks, in the order in which they run.

    The layers are the network's own, and share its weights. Layers of a mixed precision are copies in float32.

    Args:
        model: a Sequential or functional network of one input and one output.

    Attributes:
        calls: each layer with its input and output.
        score: the output before the softmax or sigmoid at the network's end.
        exclusive: whether an image has exactly one class: there are several, and no sigmoid gives each its own
            probability.

    Raises:
        UserError: it is another kind of network.
    """

    def __init__(self, model: keras.Model) -> None:
        self.calls: list[Call] = []

        def call(layer: Any, *inputs: Any, **options: Any) -> Any:
            output = layer(*inputs, **options)
            if not isinstance(output, (list, tuple, dict)):
                self.calls.append(Call(layer, inputs[0] if inputs else None, output))
            return output

        try:
            flat = keras.models.clone_model(_flatten(model), clone_function=_in_float32, call_function=call)
            single = len(flat.inputs) == len(flat.outputs) == 1
        except (ValueError, AttributeError) as error:  # subclassed models, and those not built yet
            raise UserError(
                f"model: must be a Sequential or functional network that is built; received {model.name}, "
                f"a {type(model).__name__} ({error})"
            ) from error
        if not single:
            raise UserError(f"model: must have one input and one output; received {model.name}, which has more")
        self._input, self._channels_first = flat.inputs[0], keras.config.image_data_format() == "channels_first"
        self.score = _before_activation(self.calls[-1])
        sigmoid = getattr(self.calls[-1].layer, "activation", None) is keras.activations.sigmoid
        self.exclusive = flat.outputs[0].shape[-1] > 1 and not sigmoid

    def split_after_convolutions(self) -> tuple[keras.Model, keras.Model]:
        """Return the network up to its last feature maps, and the rest, from there to `score`.

        The maps are of the size of the last convolution's: the last ones of that size that all later layers depend
        on alone, and that are not the output of a normalisation or dropout.

        Raises:
            UserError: there are no such maps.
        """
        size = None
        for layer, _, output in reversed(self.calls):
            if size is None and isinstance(layer, _CONVOLUTIONS):
                size = self._size(output)
        for layer, _, output in reversed(self.calls):
            if size is not None and self._size(output) == size and not isinstance(layer, _NO_MAPS_OF_THEIR_OWN):
                try:
                    return keras.Model(self._input, output), keras.Model(output, self.score)
                except ValueError:  # a path to the score bypasses these maps
                    continue
        raise UserError(
            "model: must have a convolution whose maps are larger than one pixel, and a classifier after them; "
            "received a network without"
        )

    def _size(self, output: Any) -> tuple[int, int] | None:
        """Return the height and width of feature maps; None for other outputs, and for maps of one pixel."""
        if len(output.shape) != 4:
            return None
        size = tuple(output.shape[2:] if self._channels_first else output.shape[1:3])
        return None if size == (1, 1) else size


def _same(layer: Any) -> Any:
    return layer


def _in_float32(layer: Any) -> Any:
    """Return the layer, or a copy that computes in float32: derivatives by differences drown in anything shorter."""
    if getattr(layer, "compute_dtype", "float32") == "float32":
        return layer
    copy = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
    copy.build_from_config(layer.get_build_config() or {})
    copy.set_weights(layer.get_weights())
    return copy


def _flatten(model: keras.Model) -> keras.Model:
    """Return the network with nested networks replaced by their layers."""

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        nested = isinstance(layer, keras.Sequential) or (
            isinstance(layer, keras.Model) and hasattr(layer, "operations")
        )
        return _flatten(layer).call(*inputs, **options) if nested else layer(*inputs, **options)

    if not isinstance(model, keras.Sequential):
        return keras.models.clone_model(model, clone_function=_same, call_function=call)
    first = model.inputs[0]
    inputs = output = keras.Input(batch_shape=first.shape, dtype=first.dtype)
    for layer in model.layers:
        output = call(layer, output)
    return keras.Model(inputs, output)


def _before_activation(last: Call) -> Any:
    """Return the output of the last layer without its softmax or sigmoid."""
    layer, inputs, output = last
    squashing = (keras.activations.softmax, keras.activations.sigmoid)
    if isinstance(layer, keras.layers.Softmax):
        return inputs
    if getattr(layer, "activation", None) not in squashing:
        return output
    if isinstance(layer, keras.layers.Activation):
        return inputs
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    score = linear(inputs)
    linear.set_weights(layer.get_weights())
    return score
