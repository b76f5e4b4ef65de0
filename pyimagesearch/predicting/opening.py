"""Finds out what kind of model a name stands for."""

from pathlib import Path

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import BACKBONES
from pyimagesearch.predicting.predictor import Predictor

_CLASSIFIERS = (".skops", ".pickle")


def open_predictor(
    model: str, weights: str = "", alpha: float | None = None, *, crops: bool = False, trust_pickle: bool = False
) -> Predictor:
    """Load any model that this package can make.

    Args:
        model: a ``.keras`` file, a classifier's ``.skops`` or ``.pickle`` file, or a key of `BACKBONES`.
        weights, alpha: of a backbone, as `load_backbone` takes them; "imagenet" if ``weights`` is empty.
        crops: whether to average over ten crops of each image.
        trust_pickle: whether a pickle may be loaded, which can run any program.

    Raises:
        UserError: there is no such model, it is not to be trusted, or it has no such setting.
    """
    predictor = _open(model, weights, alpha, crops, trust_pickle)
    if not all(isinstance(name, str) for name in predictor.label_names):
        raise UserError(
            f"--model: the classes of {model} must have names; received {predictor.label_names}; train it again"
        )
    return predictor


def _open(model: str, weights: str, alpha: float | None, crops: bool, trust_pickle: bool) -> Predictor:
    from pyimagesearch.predicting.networkpredictor import NetworkPredictor

    suffix = Path(model).suffix
    if suffix != ".keras" and suffix not in _CLASSIFIERS:
        if model.lower() not in BACKBONES:
            raise UserError(
                f"--model: must be a .keras, .skops or .pickle file, or one of {', '.join(BACKBONES)}; "
                f"received {model!r}; check its name"
            )
        return NetworkPredictor.from_backbone(model, weights or "imagenet", alpha, crops)
    for option, value in (("weights", weights), ("alpha", alpha)):
        if value:
            raise UserError(f"--{option}: a file of a model has its own; received {value} with {model}; leave it out")
    if suffix == ".keras":
        return NetworkPredictor.from_file(model, crops)
    from pyimagesearch.predicting.classifierpredictor import ClassifierPredictor

    return ClassifierPredictor.from_file(model, trust_pickle, crops)
