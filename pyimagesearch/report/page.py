"""Makes the page: one HTML file with everything in it."""

import base64
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pyimagesearch.errors import UserError
from pyimagesearch.report.answer import answer, find_methods
from pyimagesearch.report.data import data
from pyimagesearch.report.feeding import feeding
from pyimagesearch.report.heatmaps import Heatmaps
from pyimagesearch.report.learning import learning
from pyimagesearch.report.outcome import outcome
from pyimagesearch.report.pictures import Pictures
from pyimagesearch.report.repeating import command, repeating
from pyimagesearch.report.steps import Steps, name_of
from pyimagesearch.runs.record import Run, read_runs
from pyimagesearch.utils.atomic import PathLike, replacing
from pyimagesearch.utils.text import human_bytes

_PARTS = Path(__file__).with_name("templates")
_OWN = ("report", "demo")  # say nothing themselves


def write_page(record: PathLike, page: PathLike, *, heatmaps: bool = True) -> Path:
    """Make the page of a run record.

    Args:
        record: a ``runs.jsonl``; paths in it are relative to the working directory, as they were when it was written.
        page: the HTML file to make; an older one is replaced.
        heatmaps: whether to load the network, if it is there, and draw what it decided by.

    Raises:
        UserError: the record is missing or empty.
    """
    runs = [run for run in read_runs(record) if name_of(run) not in _OWN] if Path(record).is_file() else []
    if not runs:
        raise UserError(
            f"record: {record} must hold runs to report on; it is missing or empty; run python -m "
            "dogs_vs_cats.build_dogs_vs_cats, train_alexnet, crop_accuracy, extract_features and train_model first, "
            "or python -m dogs_vs_cats.demo, which runs them all"
        )
    with replacing(page) as temporary:
        temporary.write_text(render(runs, heatmaps=heatmaps), "utf-8", "backslashreplace")
    return Path(page)


def render(runs: list[Run], *, heatmaps: bool = True) -> str:
    """Return the page of ``runs``, in the order of their start, as HTML."""
    steps = Steps(runs)
    settings = steps.settings("build", "train", "crops", "classify")
    keys = ("TEST_HDF5", "VAL_HDF5", "TRAIN_HDF5")
    evaluated = [entry["path"] for step in ("crops", "features") if (run := steps[step]) for entry in run.inputs or ()]
    data_files = [settings[key] for key in keys if settings.get(key)] + evaluated
    pictures = Pictures(data_files, steps.results("build").get("dataset") or settings.get("IMAGES_PATH"))
    model = steps.results("crops").get("model")
    methods = find_methods(steps)
    content = {
        "answer": answer(steps, methods),
        "data": data(steps, pictures),
        "feeding": feeding(steps),
        "learning": learning(steps),
        "outcome": outcome(methods, pictures, Heatmaps(model, "" if heatmaps else "Heat maps were not asked for.")),
        "repeating": repeating(steps),
    }
    evaluated_classes = [method.evaluation["classes"] for method in methods if method.evaluation]
    classes = list(steps.results("build").get("classes", {})) or next(iter(evaluated_classes), [])
    environment = _environment()
    style, script = (_PARTS.joinpath(name).read_text("utf-8") for name in ("style.css", "script.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html.j2").render(
        content, classes=classes, last=runs[-1], output=settings.get("OUTPUT_PATH", ""),
        style=Markup(style), script=Markup(script), script_digest=digest,
    )  # fmt: skip


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pyimagesearch.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": lambda share, digits=2: f"{share:.{digits}%}",
        "points": lambda change: f"{100 * change:+.2f}".replace("-", "\N{MINUS SIGN}"),
        "count": lambda number: f"{number:,}",
        "size": human_bytes,
        "duration": duration,
        "day": _day,
        "command": command,
        "script": name_of,
    }
    return environment


def duration(seconds: float) -> str:
    """Return a time as people say it: ``2.4 s``, ``2 min 32 s``, ``3 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def _day(time: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(time))
    except ValueError:
        return str(time)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
