"""Fitted scikit-learn pipelines on disk: as skops, which is safe to load, or as pickle, which is not."""

import os
import pickle
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.io.atomic import replacing


def check_name(path: str | os.PathLike[str]) -> None:
    """Raise a `UserError` unless the name ends in ``.skops`` or ``.pickle``."""
    if Path(path).suffix not in (".skops", ".pickle"):
        raise UserError(f"--model: must end in .skops, or in .pickle for a Python pickle; received {os.fspath(path)}")


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Save a fitted estimator in the format that its name asks for, atomically.

    Raises:
        UserError: the name ends in neither ``.skops`` nor ``.pickle``.
    """
    check_name(path)
    with replacing(path) as temporary:
        if temporary.suffix == ".skops":
            import skops.io

            skops.io.dump(estimator, temporary)
        else:
            temporary.write_bytes(pickle.dumps(estimator))
