"""Results of the benchmarks: a table, a JSON file, a page and a picture."""

import datetime
import json
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import _measure

_FOLDER = Path(__file__).parent / "results"
_PACKAGES = (
    "numpy", "h5py", "opencv-python-headless", "keras", "tensorflow", "jax", "torch", "scikit-learn",
    "grain", "nvidia-dali-cuda120", "ffcv",
)  # fmt: skip
_HEADINGS = ("question", "ours", "against", "ratio", "bar", "met?")
_MET, _MISSED, _NO_BAR = "#2a7f62", "#c8553d", "#8a8f98"


def hardware() -> dict[str, Any]:
    """Return what the results were measured on."""
    return {
        "processor": _processor(),
        "processors": _measure.cpus(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: v for name in _PACKAGES if (v := _version(name))},
    }


def in_words(m: dict[str, Any]) -> str:
    """Return a measurement as one line."""
    question, ours, against, ratio, bar, met = cells(m)
    return f"{question}: {ours} against {against}: {ratio}, bar {bar}: {met}"


def cells(m: dict[str, Any]) -> tuple[str, ...]:
    """Return a measurement as the cells of a row."""
    if "skipped" in m:
        return m["question"], "-", "-", "-", "-", f"not asked: {m['skipped']}"
    unit = m["unit"]
    met = {True: "yes", False: "**no**", None: ""}[m["met"]]
    if m["against"] is None:
        bar = "" if m["bar"] is None else f"at most {_number(m['bar'])}"
        spread = f"{_number(m['ratio'])} {unit}{_spread(m)}"
        return m["question"], m["ours"], "-", spread, bar, met
    return (
        m["question"],
        f"{m['ours']}: {_number(m['ours_value'])} {unit}",
        f"{m['against']}: {_number(m['against_value'])}",
        f"{_number(m['ratio'])}{_spread(m)}",
        "" if m["bar"] is None else f"at least {_number(m['bar'])}",
        met,
    )


def table(measured: Sequence[dict[str, Any]]) -> str:
    """Return all measurements as a Markdown table that is readable as text."""
    rows = [_HEADINGS, *(cells(m) for m in measured)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS) - 1)] + [4]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def write(measured: Sequence[dict[str, Any]]) -> list[Path]:
    """Write the JSON file, the page and the picture; return their paths."""
    _FOLDER.mkdir(exist_ok=True)
    machine, today = hardware(), datetime.date.today().isoformat()
    slug = re.sub(r"[^a-z0-9]+", "-", f"{machine['processor']} {machine['processors']} cpus".lower()).strip("-")
    files = [_FOLDER / f"{today}-{slug}.json", _FOLDER / f"{today}-{slug}.md", _FOLDER / "ratios.png"]
    whole = {"date": today, "hardware": machine, "measurements": list(measured)}
    files[0].write_text(json.dumps(whole, indent=1) + "\n")
    files[1].write_text(_page(measured, machine, today))
    draw(measured, files[2], _caption(machine))
    return [path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path for path in files]


def draw(measured: Sequence[dict[str, Any]], path: Path, caption: str) -> None:
    """Draw how many times faster ours is, one bar a question, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    raced = [m for m in measured if m.get("against")][::-1]
    if not raced:
        return
    ratios, places = [m["ratio"] for m in raced], range(len(raced))
    errors = [[m["ratio"] - m["low"] for m in raced], [m["high"] - m["ratio"] for m in raced]]
    colors = [{True: _MET, False: _MISSED, None: _NO_BAR}[m["met"]] for m in raced]
    figure, axes = plt.subplots(figsize=(10, 1.4 + 0.36 * len(raced)), layout="constrained")
    lengths = [ratio - 1 for ratio in ratios]
    axes.barh(places, lengths, left=1, color=colors, xerr=errors, height=0.62, error_kw={"lw": 0.9, "ecolor": "#444"})
    for place, m in zip(places, raced, strict=True):
        if m["bar"] is not None:
            axes.plot([m["bar"]] * 2, [place - 0.42, place + 0.42], color="black", lw=1.6)
        axes.text(max(m["high"], 1, m["bar"] or 0) * 1.08, place, f"{_number(m['ratio'])}x", va="center", fontsize=9)
    axes.axvline(1, color="black", lw=0.8)
    axes.set_xscale("log")
    axes.set_xlim(min(0.3, *(m["low"] * 0.8 for m in raced)), max(m["high"] for m in raced) * 2.2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}x")
    axes.set_yticks(places, [m["question"] for m in raced], fontsize=9)
    axes.set_ylim(-0.7, len(raced) - 0.3)
    axes.grid(axis="x", which="major", color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title("Speed over each rival's (black mark: the bar to reach)", loc="left", fontsize=11)
    axes.set_xlabel(caption, fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _page(measured: Sequence[dict[str, Any]], machine: dict[str, Any], today: str) -> str:
    packages = ", ".join(f"{name} {v}" for name, v in machine["packages"].items())
    return (
        f"# Benchmarks, {today}\n\n{_caption(machine)}; {machine['system']}\n\n{packages}\n\n"
        "Ratios are medians of paired rounds, with the lowest and the highest; speeds are medians. "
        "`python -m benchmarks` measures them again.\n\n![ratios](ratios.png)\n\n" + table(measured) + "\n"
    )


def _caption(machine: dict[str, Any]) -> str:
    return (
        f"{machine['processor']}, {machine['processors']} processors, {machine['memory_gb']:.0f} GB, "
        f"Python {machine['python']}"
    )


def _number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def _spread(m: dict[str, Any]) -> str:
    return "" if m["low"] == m["high"] else f" [{_number(m['low'])} - {_number(m['high'])}]"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
