"""The config: a Python module of settings, found by its name."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from pyimagesearch.errors import UserError

FILES = {
    "TRAIN_HDF5": "train.hdf5",
    "VAL_HDF5": "val.hdf5",
    "TEST_HDF5": "test.hdf5",
    "DATASET_MEAN": "mean.json",
    "MODEL_PATH": "alexnet.keras",
    "LAST_MODEL_PATH": "alexnet_last.keras",
    "FEATURES_HDF5": "features.hdf5",
    "CLASSIFIER_PATH": "classifier.skops",
}
"""Files in the config's ``OUTPUT_PATH``, by the setting that places each elsewhere."""

DEFAULTS: dict[str, Any] = {
    "FILE_COLUMN": None,
    "LABEL_COLUMN": None,
    "SPLIT_COLUMN": None,
    "GROUP_COLUMN": None,
    "GROUP_OF": None,
    "NEAR_NAMES": False,
    "KEEP_SPLITS": True,
    "MIN_IMAGES_PER_CLASS": 0,
    "FIT": "crop",
    "MAX_VALUE": None,
    "PRECISION": "auto",
    "CLASS_WEIGHT": None,
    "LEARNING_RATE_DECAY": "linear",
    "WARM_UP_EPOCHS": 0,
    "LABEL_SMOOTHING": 0.0,
    "DROPOUT": 0.5,
    "WEIGHT_DECAY": 0.0,
    "NETWORK": "mobilenet",
    "NETWORK_ALPHA": None,
    "NETWORK_SIZE": None,
    "NETWORK_LAYER": "",
    "HEAD": (),
    "HEAD_DROPOUT": 0.0,
    "HEAD_BATCH_NORM": False,
    "HEAD_EPOCHS": 3,
    "FINE_TUNE_EPOCHS": 10,
    "FINE_TUNE_RATE": 1e-5,
    "FREEZE": 0,
}
"""Settings that a config may lack."""

_LISTING = ("FILE_COLUMN", "LABEL_COLUMN", "SPLIT_COLUMN", "GROUP_COLUMN", "GROUP_OF", "KEEP_SPLITS", "NEAR_NAMES")


class Settings:
    """The settings of a config: its own, then `FILES` in its ``OUTPUT_PATH``, then `DEFAULTS`."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        module = self._module
        if hasattr(module, name):
            return getattr(module, name)
        if name in FILES and hasattr(module, "OUTPUT_PATH"):
            return f"{module.OUTPUT_PATH}/{FILES[name]}"
        if name in DEFAULTS:
            return DEFAULTS[name]
        raise UserError(
            f"{name}: must be set in {module.__name__}, which lacks it; copy its line from "
            "config/dogs_vs_cats_config.py"
        )

    @property
    def module_name(self) -> str:
        """The name of the config."""
        return self._module.__name__

    @property
    def listing(self) -> dict[str, Any]:
        """The settings that `pyimagesearch.io.images.list_images` takes as arguments."""
        return {name.lower(): getattr(self, name) for name in _LISTING}

    def __iter__(self) -> Iterator[str]:
        """Yield the names of all settings that there are."""
        own = [name for name in vars(self._module) if name.isupper() and name[0] != "_"]
        files = FILES if "OUTPUT_PATH" in own else {}
        return iter(dict.fromkeys([*own, *files, *DEFAULTS]))


def load_config(name: str, root: Path | None = None) -> Settings:
    """Import a module of settings by its dotted name.

    Args:
        name: such as "config.dogs_vs_cats_config".
        root: where to look for it, too, if it is not found from the working directory.

    Raises:
        UserError: there is no such module, or it is a file's name.
    """
    if name.endswith(".py"):
        raise UserError(
            f"config: must be a module's name; received the file {name}; "
            f"write {name[:-3].replace(os.sep, '.')} and run from the folder that it starts in"
        )
    before = list(sys.path)
    sys.path.insert(0, os.getcwd())
    if root is not None:
        sys.path.append(str(root))
    try:
        return Settings(importlib.import_module(name))
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
        raise UserError(
            f"config: must name a module of settings; received {name}, which was not found "
            f"from {os.getcwd()}; copy config/dogs_vs_cats_config.py and pass its name"
        ) from error
    finally:
        sys.path[:] = before


def read_means(path: str | os.PathLike[str]) -> dict[str, float]:
    """Read the colour means that the build step wrote, keyed "R", "G", "B".

    Raises:
        UserError: the file is missing or holds something else.
    """
    try:
        means = json.loads(Path(path).read_text("utf-8"))
        return {color: float(means[color]) for color in "RGB"}
    except FileNotFoundError as error:
        raise UserError(f"dataset_mean: {path} does not exist; build the data set first, or check the path") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"dataset_mean: {path} must be JSON with the numbers R, G and B; it is not ({error}); "
            "build the data set again"
        ) from error
