"""``.keras`` files that say how to prepare images for their model.

Beside Keras's own entries the archive holds ``pyimagesearch.json``: the input size, channel order,
scaling and class names that the model was trained with, and the position of its training.
"""

import contextlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import check_images
from pyimagesearch.io.format.header import Header
from pyimagesearch.nn.backbones import find_backbone
from pyimagesearch.preprocessing import ImageToArrayPreprocessor, NormalizePreprocessor, SimplePreprocessor
from pyimagesearch.utils.atomic import PathLike, replacing

_ENTRY = "pyimagesearch.json"
_UNLOADABLE = (
    ValueError, TypeError, LookupError, AttributeError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class Preparation(NamedTuple):
    """How an image becomes the input of a model.

    Attributes:
        width, height: size of the input, in pixels.
        color_order: of the data files that the model was trained with, "BGR" or "RGB".
        means: mean of each colour to subtract, keyed "R", "G", "B", in [0, 255].
        label_names: the classes in the order of the model's outputs.
        deviations: divisor of each colour after that, keyed the same.
        input_order: of the input's channels, "BGR" or "RGB"; if empty, that of the data.
        stored_size: side of the square images in the data files that the model was trained with, in pixels; 0 if
            they are not square.
        fit: how images were made such squares: "crop", "pad" or "stretch" (see `preprocessing.fitting`).
    """

    width: int
    height: int
    color_order: str
    means: dict[str, float]
    label_names: list[str]
    deviations: dict[str, float] = {"R": 1.0, "G": 1.0, "B": 1.0}
    input_order: str = ""
    stored_size: int = 0
    fit: str = "crop"

    @classmethod
    def for_backbone(
        cls, name: str, label_names: list[str], size: int | None = None, color_order: str = "BGR"
    ) -> "Preparation":
        """Describe the input of a network of `pyimagesearch.nn.backbones`.

        Args:
            name: a key of `BACKBONES`, in any case.
            label_names: the classes in the order of the model's outputs.
            size: width and height of the input, in pixels; the backbone's own if None.
            color_order: of the data files.

        Raises:
            UserError: there is no backbone of that name.
        """
        backbone = find_backbone(name)
        order, means, deviations = backbone.scaling
        side = size or backbone.size
        return cls(side, side, color_order, dict(means), label_names, dict(deviations), order)

    def normalize(self, data_order: str = "") -> list[Any]:
        """Return the preprocessors that turn pixels of the input's size into input.

        Args:
            data_order: order of the pixels' channels; if empty, ``color_order``. `read_image` gives "BGR".
        """
        order = self.input_order or self.color_order
        data_order = data_order or self.color_order
        return [NormalizePreprocessor(self.means, self.deviations, order, data_order), ImageToArrayPreprocessor()]

    def resize(self) -> SimplePreprocessor:
        """Return the preprocessor that resizes images to the input's size."""
        return SimplePreprocessor(self.width, self.height)

    def check_data(self, header: Header) -> None:
        """Check that a data set has the channel order and classes of the model.

        Raises:
            UserError: it does not.
        """
        check_images(header)
        ours = (self.color_order, self.label_names)
        theirs = (header.color_order, header.label_names)
        if theirs != ours:
            raise UserError(
                f"data set: {header.path} must have the channel order and classes that the model was "
                f"trained with, {ours}; received {theirs}; use the model's own data set, or train again"
            )


class Position(NamedTuple):
    """A position within a training.

    Attributes:
        epoch, batch: the next ones, both from 0.
        means: mean of each metric over the batches of ``epoch`` so far.
    """

    epoch: int = 0
    batch: int = 0
    means: dict[str, Any] = {}


def save_model(
    model: keras.Model, path: PathLike, preparation: Preparation, position: Position, stream: str = ""
) -> None:
    """Save a model, its optimizer, its preparation and its training's position.

    The file replaces an older one only once it is complete.

    Args:
        stream: names the stream of batches that ``position`` counts: data, batch size, seed.
    """
    with replacing(path) as temporary:
        model.save(temporary)
        content = {
            "preparation": preparation._asdict(),
            "position": position._asdict(),
            "stream": stream,
            "precision": precision_of(model),
            "random_states": [np.asarray(state).tolist() for state in _random_states(model)],
        }
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_ENTRY, json.dumps(content, indent=2))


def read_description(path: PathLike) -> tuple[Preparation, Position, str]:
    """Return the preparation, the position and the stream that `save_model` stored.

    Raises:
        UserError: the file is missing, is no ``.keras`` file, or was saved by Keras alone.
    """
    if not os.path.isfile(path):
        raise UserError(f"model: {os.fspath(path)} does not exist; train a model first, or check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(_ENTRY))
        return Preparation(**content["preparation"]), Position(**content["position"]), content["stream"]
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError) as error:
        raise UserError(f"model: {os.fspath(path)} must be a .keras file; it is not, or it is damaged") from error
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"model: {os.fspath(path)} does not say what input it was trained with; use a model that "
            "this package trained, or save yours with pyimagesearch.nn.modelfile.save_model"
        ) from error


def load_model(path: PathLike) -> tuple[keras.Model, Preparation]:
    """Load a model and its preparation; it computes in the precision that it was trained in.

    Raises:
        UserError: as `read_description`, or the model does not fit its preparation.
    """
    preparation, _, _ = read_description(path)
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(_ENTRY))
        states = content["random_states"]
        with dtype_policy(content.get("precision", "float32")):  # Keras gives it to the optimizer's wrapper
            model = keras.saving.load_model(path)
    except _UNLOADABLE as error:
        raise UserError(
            f"model: {os.fspath(path)} cannot be loaded safely: it is damaged, or was not saved by this package "
            f"({type(error).__name__}: {error}); restore it, or train it again"
        ) from error
    for variable, state in zip(_random_states(model), states, strict=True):
        variable.assign(state)
    size, classes = (preparation.height, preparation.width), len(preparation.label_names)
    if not set(size) <= set(model.input_shape) or model.output_shape[-1] != classes:
        raise UserError(
            f"model: {os.fspath(path)} takes {model.input_shape} and gives {model.output_shape}, but "
            f"its description says {size[1]}x{size[0]} pixels and {classes} classes; train it again"
        )
    return model, preparation


def precision_of(model: keras.Model) -> str:
    """Return the name of the dtype policy that a model was made with; single layers of it may be float32."""
    names = (layer.dtype_policy.name for layer in model.layers if hasattr(layer, "dtype_policy"))
    return next((name for name in names if name != "float32"), "float32")


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Make models with this dtype policy until the block ends."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _random_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the random generators of dropout, which Keras does not save."""
    return [v for v in model.variables if v.path.endswith("seed_generator_state")]


def check_resumable(path: PathLike, preparation: Preparation, stream: str, epochs: int) -> Position:
    """Return the position to resume training from.

    Raises:
        UserError: as `read_description`, the model was trained with other input or other batches, or
            has had all its epochs.
    """
    trained_with, position, trained_on = read_description(path)
    if (trained_with, trained_on) != (preparation, stream):
        raise UserError(
            f"resume: {os.fspath(path)} must have been trained with the input and the batches that the "
            f"settings and the data give now; it was trained with {trained_with}, {trained_on}; received "
            f"{preparation}, {stream}; restore the settings, or train again with overwrite=True"
        )
    if position.epoch >= epochs:
        raise UserError(
            f"epochs: must exceed the {position.epoch} epochs that {os.fspath(path)} was trained for; "
            f"received {epochs}; ask for more epochs in all"
        )
    return position
