"""Fitted scikit-learn classifiers and their files: skops, which is safe to load, or pickle, which is not.

The recipe of the features, the classes and the limits of the probabilities are stored with the model: a skops
file, which is a zip archive, has them in its entry ``pyimagesearch.json``; ``NAME.pickle`` has them beside it, in
``NAME.pickle.json``.
"""

import json
import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.utils.atomic import PathLike, check_output, replacing

_ENTRY = "pyimagesearch.json"
_COMMENT = b"with " + _ENTRY.encode()  # of the archive: it gives away an entry whose name was damaged


@dataclass(frozen=True)
class Classifier:
    """A classifier of feature vectors.

    Attributes:
        estimator: a fitted scikit-learn pipeline, trained on names of classes; its ``predict`` returns names.
        recipe: how to make the features of an image, as JSON from the file of features, or "".
        label_names: the classes in the order of the columns of probabilities; those of the estimator if empty.
        clip: distance that probabilities keep from 0 and 1.
    """

    estimator: Any
    recipe: str = ""
    label_names: Sequence[str] = ()
    clip: float = 0.0

    def __post_init__(self) -> None:
        names = self.label_names or map(str, self.estimator.classes_)
        object.__setattr__(self, "label_names", list(names))

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the probability of each class, kept in [clip, 1 - clip], float64 of shape (n, classes).

        The clipped probabilities of each image are divided by their sum.

        Args:
            features: ndarray of shape (n, d).

        Raises:
            UserError: the classifier has no probabilities.
        """
        if not hasattr(self.estimator, "predict_proba"):
            raise UserError(
                "classifier: must give probabilities, and a linear SVM does not on its own; "
                "train it with calibrate=True"
            )
        clipped = np.clip(self.estimator.predict_proba(features).astype(np.float64), self.clip, 1 - self.clip)
        return clipped / clipped.sum(axis=1, keepdims=True)

    def predict_rows(self, features: FeatureFile, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Predict rows of a file, block by block.

        Returns:
            For each row the index of its class in ``features.names``, int64 of shape (n,), and the probability of each
            class, float64 of shape (n, classes); None if the classifier has no probabilities.

        Raises:
            UserError: a feature is not a finite number.
        """
        has_probabilities = hasattr(self.estimator, "predict_proba")
        predictions, probabilities = [], []
        for block in features.read_blocks(rows):
            predictions.append(self.estimator.predict(block))
            if has_probabilities:
                probabilities.append(self.predict_proba(block))
        labels = np.searchsorted(features.names, np.concatenate(predictions))
        return labels, np.concatenate(probabilities) if has_probabilities else None

    def save(self, model_path: PathLike) -> None:
        """Save atomically, in the format that the name's suffix asks for.

        Raises:
            UserError: the name ends in neither ``.skops`` nor ``.pickle``.
        """
        model, *beside = files_of(model_path)
        content = {"recipe": self.recipe, "label_names": self.label_names, "clip": self.clip}
        description = json.dumps(content, indent=2)
        for file in beside:
            with replacing(file) as temporary:
                temporary.write_text(description + "\n", "utf-8")
        with replacing(model) as temporary:
            if beside:
                temporary.write_bytes(pickle.dumps(self.estimator))
                return
            import skops.io

            skops.io.dump(self.estimator, temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(_ENTRY, description)
                archive.comment = _COMMENT

    @classmethod
    def load(cls, model_path: PathLike, trust_pickle: bool = False) -> "Classifier":
        """Load a classifier.

        A skops file is loaded only if all its types are known to skops to be harmless. Files that other programs
        saved have no recipe and no clipping.

        Args:
            model_path: a ``.skops`` or ``.pickle`` file.
            trust_pickle: load a pickle, which can run any code.

        Raises:
            UserError: the file is missing, damaged, untrusted, or holds no classifier.
        """
        model, *beside = files_of(model_path)
        if not model.is_file():
            raise UserError(f"model_path: {model} does not exist; train a classifier first, or correct the path")
        if beside and not trust_pickle:
            raise UserError(
                f"model_path: {model} is a Python pickle, and loading a pickle can run any code that its maker put "
                "into it; pass trust_pickle=True if you trust its maker, or train again to a .skops file"
            )
        try:
            if beside:
                estimator = pickle.loads(model.read_bytes())
                content = json.loads(beside[0].read_text("utf-8")) if beside[0].is_file() else {}
            else:
                estimator, content = _load_skops(model)
            names, clip = content.get("label_names", ()), content.get("clip", 0.0)
            classifier = cls(estimator, content.get("recipe", ""), names, clip)
            classes = len(estimator.classes_)
            fits = callable(estimator.predict) and len(classifier.label_names) == classes and 0 <= clip < 1 / classes
            if not fits or not isinstance(classifier.recipe, str):
                raise ValueError(f"its description does not fit its {classes} classes")
        except UserError:
            raise
        except Exception as error:  # unpickling arbitrary bytes can raise anything
            raise UserError(
                f"model_path: {model} must hold a fitted classifier; it does not, or it is damaged "
                f"({type(error).__name__}: {error}); correct the path or train again"
            ) from error
        return classifier


class ClassifierFiles:
    """The files of a trained classifier, named after it and in its folder.

    Args:
        model_path: the classifier's file.
        overwrite: allow that they replace existing files.

    Attributes:
        confusion_matrix, report, predictions: a picture, JSON, and HDF5.
        all: these and those of the classifier.

    Raises:
        UserError: a file exists, or the name ends in neither ``.skops`` nor ``.pickle``.
    """

    def __init__(self, model_path: PathLike, overwrite: bool = False) -> None:
        path = Path(model_path)
        models, stem = files_of(path), path.stem
        self.confusion_matrix = path.with_name(f"{stem}_confusion_matrix.png")
        self.report = path.with_name(f"{stem}.json")
        self.predictions = path.with_name(f"{stem}_predictions.hdf5")
        self.all = [*models, self.confusion_matrix, self.report, self.predictions]
        for file in self.all:
            check_output(file, overwrite, "model_path")


def files_of(model_path: PathLike) -> list[Path]:
    """Return the files that `Classifier.save` writes: the model, and the description beside a pickle.

    Raises:
        UserError: the name ends in neither ``.skops`` nor ``.pickle``.
    """
    path = Path(model_path)
    if path.suffix not in (".skops", ".pickle"):
        raise UserError(f"model_path: must end in .skops, or in .pickle for a Python pickle; received {path}")
    return [path] if path.suffix == ".skops" else [path, path.with_name(f"{path.name}.json")]


def _load_skops(path: Path) -> tuple[Any, dict[str, Any]]:
    import skops.io

    data = path.read_bytes()  # once, so that the bytes that are validated are the bytes that are loaded
    unknown = skops.io.get_untrusted_types(data=data)
    if unknown:
        raise UserError(
            f"model_path: {path} must hold only types that are known to be harmless; it holds {', '.join(unknown)}; "
            "do not trust it, or train again"
        )
    estimator = skops.io.loads(data, trusted=[])
    with zipfile.ZipFile(path) as archive:
        described = _ENTRY in archive.namelist() or archive.comment == _COMMENT
        content = json.loads(archive.read(_ENTRY)) if described else {}
    return estimator, content
