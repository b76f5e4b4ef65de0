"""Makes the page: one HTML file with everything in it."""

import base64
import hashlib
import shlex
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pyimagesearch.errors import UserError
from pyimagesearch.report.answer import answer, find_methods, script_of
from pyimagesearch.report.data import data
from pyimagesearch.report.feeding import feeding
from pyimagesearch.report.learning import learning
from pyimagesearch.report.outcome import Heatmaps, outcome
from pyimagesearch.report.pictures import Pictures
from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import Run, read_runs
from pyimagesearch.utils.atomic import PathLike, check_output, replacing
from pyimagesearch.utils.text import human_bytes

_TEMPLATES = Path(__file__).with_name("templates")
_OWN = ("report", "demo")  # say nothing themselves
_STEPS = ("build", "train", "fine_tune", "crops", "features", "classify", "explore")
_SHOWN = 60  # runs in the table


def write_page(record: PathLike, page: PathLike, *, heatmaps: bool = True) -> Path:
    """Make the page of a run record.

    Args:
        record: a ``runs.jsonl``; paths in it are relative to the working directory, as they were when it was written.
        page: the HTML file to make; an older one is replaced.
        heatmaps: whether to load the network, if it is there, and draw heat maps of what it decided by.

    Raises:
        UserError: the record is missing or empty, or the page's name is no HTML file's.
    """
    page = check_output(page, overwrite=True)  # it is made from the record alone, as often as one likes
    if page.suffix not in (".html", ".htm"):
        raise UserError(f"output: must end in .html; received {page}")
    runs = [run for run in read_runs(record) if run.step not in _OWN] if Path(record).is_file() else []
    if not runs:
        raise UserError(
            f"record: {record} must hold runs to report on; it is missing or empty; run the steps of the project "
            "first, from building the data set to classifying"
        )
    with replacing(page) as temporary:
        temporary.write_text(render(runs, heatmaps=heatmaps), "utf-8", "backslashreplace")
    return page


def render(runs: list[Run], *, heatmaps: bool = True) -> str:
    """Return the page of ``runs``, in the order of their start, as HTML."""
    project = Project(runs)
    settings = project.settings("build", "train", "crops", "classify")
    keys = ("TEST_HDF5", "VAL_HDF5", "TRAIN_HDF5")
    evaluated = [entry["path"] for step in ("crops", "features") if (run := project[step]) for entry in run.inputs]
    data_files = [settings[key] for key in keys if settings.get(key)] + evaluated
    pictures = Pictures(data_files, project.results("build").get("dataset") or settings.get("IMAGES_PATH"))
    model = project.results("crops").get("model")
    methods = find_methods(project)
    content = {
        "answer": answer(project, methods),
        "data": data(project, pictures),
        "feeding": feeding(project),
        "learning": learning(project),
        "outcome": outcome(methods, pictures, Heatmaps(model, "" if heatmaps else "Heat maps were not asked for.")),
        "repeating": _repeating(project),
    }
    evaluated_classes = [method.evaluation["classes"] for method in methods if method.evaluation]
    classes = list(project.results("build").get("classes", {})) or next(iter(evaluated_classes), [])
    environment = _environment()
    style, script = (_TEMPLATES.joinpath(name).read_text("utf-8") for name in ("style.css", "script.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html.j2").render(
        content, classes=classes, last=runs[-1], output=settings.get("OUTPUT_PATH", ""),
        style=Markup(style), script=Markup(script), script_digest=digest,
    )  # fmt: skip


def _repeating(project: Project) -> dict[str, Any]:
    """Return what the template ``repeating`` shows."""
    last = [project[step] for step in _STEPS]
    drawn = project["draw"]
    chosen = [*([drawn] if drawn else []), *(run for run in project.runs if any(run is one for one in last))]
    return {
        "chosen": chosen,
        "commands": [_command(run) for run in chosen],
        "versions": _merged(run.versions for run in chosen),
        "hardware": _merged(run.hardware for run in chosen),
        "devices": sorted({device for run in chosen for device in run.devices}),
        "backends": sorted({run.backend for run in chosen if run.backend}),
        "seeds": sorted({run.seed for run in chosen if run.seed is not None}),
        "folders": sorted({run.folder for run in chosen}),
        "runs": project.runs[-_SHOWN:],
        "hidden_runs": max(0, len(project.runs) - _SHOWN),
        "broken": [run for run in project.runs if run.status != "done"],
        "settings": project.settings("train", "build", "crops", "classify"),
    }


def _command(run: Run) -> str:
    """Return the command of a run as a shell takes it."""
    return shlex.join(map(str, run.command))


def _merged(each: Iterable[dict[str, Any] | None]) -> dict[str, str]:
    """Return what every run says of itself under each name; several values where runs differ."""
    found: dict[str, list[str]] = {}
    for fields in each:
        for name, value in (fields or {}).items():
            if str(value) not in found.setdefault(name, []):
                found[name].append(str(value))
    return {name: ", ".join(values) for name, values in found.items()}


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
        "command": _command,
        "script": script_of,
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
