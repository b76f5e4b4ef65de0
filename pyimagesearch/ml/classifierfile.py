"""Fitted scikit-learn pipelines on disk: as skops, which is safe to load, or as pickle, which is not.

How the features are made of an image, the classes and the limits of probabilities go with the model:
a skops file, which is a zip archive, has them in its entry ``pyimagesearch.json``; beside ``NAME.pickle`` lies
``NAME.pickle.json``.
"""

import json
import os
import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import PathLike, replacing

_ENTRY = "pyimagesearch.json"
_COMMENT = b"with " + _ENTRY.encode()  # of the archive: an entry whose name rotted is missed


class Classifier(NamedTuple):
    """A classifier of feature vectors.

    Attributes:
        estimator: a fitted scikit-learn pipeline, trained on names of classes; ``predict`` gives names.
        recipe: how features are made of an image, as the features' file has it in JSON, or "".
        label_names: the classes in the order of the columns of probabilities.
        clip: how far probabilities keep from 0 and 1.
    """

    estimator: Any
    recipe: str
    label_names: list[str]
    clip: float = 0.0

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the probability of each class, kept in [clip, 1 - clip], float64 of shape (n, classes).

        Three or more clipped probabilities of an image are divided by their sum.

        Args:
            features: ndarray of shape (n, d).

        Raises:
            UserError: the classifier gives no probabilities.
        """
        if not hasattr(self.estimator, "predict_proba"):
            raise UserError(
                "classifier: must give probabilities, and a linear SVM does not on its own; "
                "train it with train_model --calibrate"
            )
        clipped = np.clip(self.estimator.predict_proba(features).astype(np.float64), self.clip, 1 - self.clip)
        return clipped / clipped.sum(axis=1, keepdims=True)


def check_name(path: PathLike) -> None:
    """Raise a `UserError` unless the name ends in ``.skops`` or ``.pickle``."""
    if Path(path).suffix not in (".skops", ".pickle"):
        raise UserError(f"--model: must end in .skops, or in .pickle for a Python pickle; received {os.fspath(path)}")


def files_of(path: PathLike) -> list[Path]:
    """Return the files that `save` writes for a name: the model, and the description beside a pickle."""
    path = Path(path)
    return [path] if path.suffix == ".skops" else [path, path.with_name(f"{path.name}.json")]


def save(estimator: Any, path: PathLike, recipe: str = "", label_names: Sequence[str] = (), clip: float = 0.0) -> None:
    """Save a fitted estimator in the format that its name asks for, atomically.

    Args:
        estimator: a fitted classifier of scikit-learn.
        path: the file.
        recipe, label_names, clip: as in `Classifier`; without names those of the estimator are taken.

    Raises:
        UserError: the name ends in neither ``.skops`` nor ``.pickle``.
    """
    check_name(path)
    names = list(label_names) or list(map(str, estimator.classes_))
    description = json.dumps({"recipe": recipe, "label_names": names, "clip": clip}, indent=2)
    model, *beside = files_of(path)
    for file in beside:
        with replacing(file) as temporary:
            temporary.write_text(description + "\n", "utf-8")
    with replacing(model) as temporary:
        if beside:
            temporary.write_bytes(pickle.dumps(estimator))
            return
        import skops.io

        skops.io.dump(estimator, temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_ENTRY, description)
            archive.comment = _COMMENT


def load(path: PathLike, trust_pickle: bool = False) -> Classifier:
    """Load a classifier.

    A skops file is only loaded if it holds nothing but types that skops knows to be harmless. Classifiers that
    something else saved have no recipe and no clipping.

    Args:
        path: a ``.skops`` or ``.pickle`` file.
        trust_pickle: whether a pickle may be loaded, which can run any program.

    Raises:
        UserError: the file is missing, damaged, not to be trusted, or no classifier.
    """
    check_name(path)
    model, *beside = files_of(path)
    if not model.is_file():
        raise UserError(
            f"--model: {model} does not exist; train a classifier with train_model first, or check the path"
        )
    if beside and not trust_pickle:
        raise UserError(
            f"--model: {model} is a Python pickle, and loading a pickle can run any program that its maker put into "
            "it; pass --trust-pickle if you made it yourself or trust who did, or train again to a .skops file"
        )
    try:
        if beside:
            estimator = pickle.loads(model.read_bytes())
            content = json.loads(beside[0].read_text("utf-8")) if beside[0].is_file() else {}
        else:
            estimator, content = _load_skops(model)
        names = content.get("label_names") or list(map(str, estimator.classes_))
        classifier = Classifier(estimator, content.get("recipe", ""), names, content.get("clip", 0.0))
        fits = callable(estimator.predict) and len(names) == len(estimator.classes_)
        if not fits or not isinstance(classifier.recipe, str) or not 0 <= classifier.clip < 1 / len(names):
            raise ValueError(f"its description does not fit its {len(estimator.classes_)} classes")
    except UserError:
        raise
    except Exception as error:  # there is no end to what unpickling a stranger's bytes can raise
        raise UserError(
            f"--model: {model} must hold a classifier that train_model saved; it does not, or it is damaged "
            f"({type(error).__name__}: {error}); check the path or train again"
        ) from error
    return classifier


def _load_skops(path: Path) -> tuple[Any, dict[str, Any]]:
    import skops.io

    data = path.read_bytes()  # once, so that what is checked is what is loaded
    unknown = skops.io.get_untrusted_types(data=data)
    if unknown:
        raise UserError(
            f"--model: {path} must hold only types that are known to be harmless; it holds {', '.join(unknown)}; "
            "do not trust it, or train again"
        )
    estimator = skops.io.loads(data, trusted=[])
    with zipfile.ZipFile(path) as archive:
        described = _ENTRY in archive.namelist() or archive.comment == _COMMENT
        content = json.loads(archive.read(_ENTRY)) if described else {}
    return estimator, content
