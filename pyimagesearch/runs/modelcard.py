"""Model cards: what a model is good for, beside the model, in the form that Hugging Face reads."""

import json
import logging
import os
import re
import shlex
from importlib import resources
from pathlib import Path
from typing import Any

from pyimagesearch.runs.provenance import KINDS, Project, TrainedModel
from pyimagesearch.runs.record import read_runs
from pyimagesearch.utils.atomic import replacing
from pyimagesearch.utils.text import named, printable

NAME = "MODEL_CARD.md"
_LOGGER = logging.getLogger(__name__)
_OWN_FIELDS = "# The lines above are the owner's, and stay; those below are written again after each run."
_OWN_TEXT = "<!-- Above, the card is written again after each run; what follows is the owner's, and stays. -->"
_TRAINING = (
    "LEARNING_RATE", "LEARNING_RATE_DECAY", "WARM_UP_EPOCHS", "REGULARIZATION", "WEIGHT_DECAY", "DROPOUT",
    "LABEL_SMOOTHING", "PRECISION",
)  # fmt: skip
_FEW_IMAGES, _POORLY_CALIBRATED, _NAMED = 200, 0.05, 20


def write_model_card(folder: Path) -> list[Path]:
    """Write a card beside the models that a run record tells of.

    Text that its owner wrote into the places for it is kept. A card without these places is all the owner's own, and is
    left as it is.

    Args:
        folder: where ``runs.jsonl`` is.

    Returns:
        The files that were written: ``MODEL_CARD.md`` in each folder with models, unless it says the same already.

    Raises:
        UserError: the record cannot be read.
    """
    models_in: dict[Path, list[TrainedModel]] = {}
    for model in Project(read_runs(folder)).models():
        models_in.setdefault(_place(model, Path(folder)), []).append(model)
    return [path for place, models in models_in.items() for path in _write(place / NAME, models)]


def _place(model: TrainedModel, folder: Path) -> Path:
    """Return the folder of a model; that of its record if it is that one, perhaps moved since, or is gone."""
    usual = os.path.normpath(os.path.join(model.run.folder, model.run.settings.get("OUTPUT_PATH", "")))
    beside = Path(model.path).parent
    return folder if str(beside) == usual or not beside.is_dir() else beside


def _write(path: Path, models: list[TrainedModel]) -> list[Path]:
    own = {"fields": "license: unknown  # to be filled in", "text": ""}
    if path.exists():
        kept = _owners_share(path.read_text("utf-8"))
        if kept is None:
            _LOGGER.info("%s is kept: it has no places that are filled by a program", path)
            return []
        own = kept
    card = _render(models, own)
    if path.exists() and path.read_text("utf-8") == card:
        return []
    with replacing(path) as temporary:
        temporary.write_text(card, "utf-8", "backslashreplace")
    return [path]


def _owners_share(card: str) -> dict[str, str] | None:
    """Return the owner's text; None if it cannot be distinguished from the rest."""
    found = re.fullmatch(
        r"---\n(?P<fields>.*?)\n?# The lines above are the owner's.*?\n.*?\n"
        r"<!-- Above, the card is written [^\n]*-->\n(?P<text>.*)",
        card, re.DOTALL,
    )  # fmt: skip
    return found.groupdict() if found else None


def _render(models: list[TrainedModel], own: dict[str, str]) -> str:
    import jinja2

    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.ChainableUndefined
    )
    environment.filters.update(
        text=_as_markdown, yaml=_as_yaml, percent=lambda share: f"{share:.2%}", number=lambda n: f"{n:,}",
        command=lambda words: printable(shlex.join(words)),
    )  # fmt: skip
    template = resources.files(__package__).joinpath("modelcard.md.jinja").read_text("utf-8")
    networks = any(model.run.step != "classify" for model in models)
    return environment.from_string(template).render(
        models=models, kinds=KINDS, own=own, own_fields=_OWN_FIELDS, own_text=_OWN_TEXT, limits=_limits,
        settings=_settings, library="keras" if networks else "sklearn", classes_of=_classes,
    )  # fmt: skip


def _classes(model: TrainedModel) -> list[str]:
    for evaluation in model.evaluations.values():
        return evaluation["classes"]
    return model.preparation.get("label_names", list(model.data.get("classes", {})))


def _settings(model: TrainedModel) -> dict[str, Any]:
    """Return how a model was trained, by name, as far as the record tells."""
    run = model.run
    results, config = run.results, run.settings
    own = _TRAINING if run.step == "train" else ()
    augmentation = config.get("AUGMENTATION") if run.step != "classify" else None
    known = {
        "parameters": results.get("parameters"),
        "epochs": results.get("epochs"),
        "best epoch": results.get("best_epoch"),
        "accuracy on validation images": results.get("val_accuracy"),
        "batch size": results.get("batch_size"),
        **{name.lower().replace("_", " "): config.get(name) for name in own},
        "augmentation": ", ".join(f"{name} {value}" for name, value in augmentation.items()) if augmentation else None,
        "classifier": results.get("classifier"),
        "C, found by cross-validation": results.get("best_c"),
        "seed": run.seed,
        "duration": None if run.seconds is None else f"{run.seconds:,.0f} seconds",
        "computed by": ", ".join(filter(None, [run.backend, *run.devices, run.hardware.get("processor")])) or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _limits(model: TrainedModel) -> list[str]:
    """Return the limits of a model, in sentences of Markdown."""
    classes, data = [_as_markdown(name) for name in _classes(model)], model.data
    sentences = [
        f"It knows {len(classes)} classes ({named(classes, _NAMED)}) and gives every image one of them, also one that "
        "shows nothing of the kind, and its probability may be high even then.",
        "The figures hold for images of the same source as those that it was trained and tested with. Expect lower "
        "ones for images of other cameras, places, seasons or styles, and test it on them first.",
    ]
    evaluation = next(reversed(model.evaluations.values()), None)
    if evaluation is None:
        sentences.append(
            "It was not tested on images that were not used in its training: how good it is, is not known."
        )
        return sentences
    if evaluation["images"] < _FEW_IMAGES:
        sentences.append(f"It was tested on {evaluation['images']:,} images only: mind the intervals.")
    weakest = min(evaluation["per_class"], key=lambda figures: figures["recall"] if figures["images"] else 1)
    sentences.append(
        f"Of the classes, it finds {_as_markdown(weakest['name'])} worst: {weakest['recall']:.2%} of "
        f"{weakest['images']:,} images."
    )
    if evaluation.get("rarest"):  # records of former versions do not tell
        sentences.append(
            "Some classes have more than twice the images of others, which the accuracy hides: the mean recall of the "
            f"classes (balanced accuracy) is {evaluation['balanced_accuracy']:.2%}."
        )
    calibration = evaluation["calibration"]
    if calibration is None:
        sentences.append("It gives no probabilities.")
    else:
        error = calibration["error"]
        verdict = "calibrate them before use" if error > _POORLY_CALIBRATED else "they can be used as they are"
        sentences.append(
            f"Its probabilities are off by {error:.2%} on average (expected calibration error): {verdict}."
        )
    if model.stands_on_own_network:
        sentences.append(
            "The network that gives its features was trained on images of the same project: where these are among "
            "those that the classifier was tested with, its figures are better than they should be."
        )
    across = len(data.get("duplicates", {}).get("across_splits", ()))
    if across:
        sentences.append(
            f"Groups of duplicates that lie in more than one split: {across:,}. They make the figures better than "
            "they should be."
        )
    return sentences


def _as_markdown(text: Any) -> str:
    """Return text so that Markdown shows it as it is, also in a table."""
    escaped = re.sub(r"([\\`*\[\]<>|~&])", r"\\\1", printable(str(text)))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", escaped)


def _as_yaml(value: Any) -> str:
    """Return a text or number as YAML, which JSON's are too."""
    return json.dumps(printable(value) if isinstance(value, str) else value, ensure_ascii=False)
