"""Charts of a survey."""

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np

from pyimagesearch.explore.look import ASPECT_LIMIT
from pyimagesearch.explore.survey import Survey
from pyimagesearch.utils.atomic import replacing
from pyimagesearch.utils.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED_CLASSES, _COLOURED_CLASSES, _NAME_LETTERS = 150, 10, 32


def draw_classes(survey: Survey, path: str | os.PathLike[str]) -> None:
    """Draw the number of images of each class, the most common on top; very many classes have no names."""
    from matplotlib.figure import Figure

    counts = np.bincount(survey.images.labels, minlength=len(survey.images.label_names))
    order = np.argsort(-counts, kind="stable")
    named = len(counts) <= _NAMED_CLASSES
    figure = Figure(figsize=(8, 1.5 + 0.22 * len(counts) if named else 8), layout="constrained")
    axis = figure.subplots()
    bars = axis.barh(np.arange(len(counts)), counts[order], height=0.8 if named else 1)
    axis.set(xlabel="images", title=f"{counts.sum():,} images of {len(counts):,} classes")
    axis.set_ylim(len(counts) - 0.5, -0.5)
    if named:
        axis.bar_label(bars, [f"{count:,}" for count in counts[order]], padding=3, fontsize=8)
        axis.margins(x=0.12)
        names = [printable(survey.images.label_names[c], _NAME_LETTERS) for c in order]
        axis.set_yticks(np.arange(len(counts)), names, fontsize=8, parse_math=False)
    else:
        axis.set_ylabel("classes")
    _save(figure, path)


def draw_sizes(survey: Survey, stored_size: int, path: str | os.PathLike[str]) -> None:
    """Draw the width and height of each image, coloured by class if there are few classes.

    Lines mark the size below which the build step enlarges, and the limits of common shapes.

    Args:
        stored_size: side in pixels of the squares that the build step would store.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7), layout="constrained")
    axis = figure.subplots()
    sizes = survey.sizes
    for name, members in _groups(survey):
        axis.plot(*sizes[members].T, ".", markersize=5, alpha=0.4, markeredgewidth=0, label=name)
    low, high = sizes.min() / 1.2, max(sizes.max(), stored_size) * 1.2
    ends = np.array([low, high])
    axis.plot([stored_size, stored_size, high], [high, stored_size, stored_size], "k--", linewidth=1,
              label=f"stored_size={stored_size}: smaller ones are enlarged")  # fmt: skip
    axis.plot(ends, ends * ASPECT_LIMIT, "k:", linewidth=1, label=f"{ASPECT_LIMIT} to 1")
    axis.plot(ends, ends / ASPECT_LIMIT, "k:", linewidth=1)
    if high > 20 * low:
        axis.set(xscale="log", yscale="log")
    axis.set(xlim=(low, high), ylim=(low, high), xlabel="width in pixels", ylabel="height in pixels")
    _legend(axis)
    _save(figure, path)


def draw_brightness(survey: Survey, path: str | os.PathLike[str]) -> None:
    """Draw the distribution of brightness, for each class if there are few."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    brightness = survey.brightness
    for name, members in _groups(survey):
        weights = np.full(len(members), 1 / len(members))
        axis.hist(brightness[members], list(range(0, 257, 8)), weights=weights, histtype="step", label=name)
    axis.set(xlim=(0, 256), xlabel="mean gray level of an image", ylabel="share of the images")
    _legend(axis)
    _save(figure, path)


def _groups(survey: Survey) -> list[tuple[str, np.ndarray]]:
    """Group the readable images by class, or return one group if there are many classes."""
    labels = survey.images.labels[survey.readable]
    classes = np.unique(labels)
    if len(classes) > _COLOURED_CLASSES:
        return [("all classes", np.arange(len(labels)))]
    return [(_plain(survey.images.label_names[c]), np.flatnonzero(labels == c)) for c in classes]


def _plain(name: str) -> str:
    """Escape a name for a legend: Matplotlib leaves out names that begin with _ and sets $x$ as a formula."""
    return (" " if name.startswith("_") else "") + printable(name, _NAME_LETTERS).replace("$", r"\$")


def _legend(axis) -> None:  # type: ignore[no-untyped-def]
    legend = axis.legend(fontsize=8)
    for handle in legend.legend_handles:
        handle.set_alpha(1)


def _save(figure: "Figure", path: str | os.PathLike[str]) -> None:
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the font lacks many alphabets
        figure.savefig(temporary, dpi=110)
