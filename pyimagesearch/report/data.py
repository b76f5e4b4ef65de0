"""The data: how many images of what, a look at each class, what was left out, duplicates."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyimagesearch.explore.montages import shown_classes
from pyimagesearch.report import charts
from pyimagesearch.report.pictures import Picture, Pictures, picture
from pyimagesearch.runs.provenance import Project

_CLASSES = 20  # that are shown one by one
_IN_MONTAGES = 144  # pictures in all montages together
_MONTAGE = 18
_PAIRS = 6
_LISTED = 20


@dataclass(frozen=True)
class Twin:
    """Files of a picture that is in several splits, by split, and a small version of it."""

    paths: dict[str, list[str]]
    picture: Picture | None


def data(project: Project, pictures: Pictures) -> dict[str, Any] | None:
    """Return what the template ``data`` shows; None if there was no build."""
    built, run = project.results("build"), project["build"]
    if run is None:
        return None
    classes, splits = built.get("classes", {}), built.get("splits", {})
    chosen = _chosen(list(classes.values()))
    names = [list(classes)[number] for number in chosen]
    counts = {name: [splits[split].get(name, 0) for split in splits] for name in names}
    said = "; ".join(f"{name}: {', '.join(f'{n:,} {s}' for n, s in zip(c, splits, strict=True))}"
                     for name, c in counts.items())  # fmt: skip
    skipped, duplicates = built.get("skipped", {}), built.get("duplicates", {})
    return {
        "built": built,
        "classes": classes,
        "splits": splits,
        "totals": {split: sum(of.values()) for split, of in splits.items()},
        "hidden_classes": len(classes) - len(names),
        "chart": charts.bar_chart("Images by class and split", list(splits), counts, said) if counts else None,
        "montages": {name: shown for name in names if (shown := montage(project, pictures, name, len(names)))},
        "skipped": dict(list(skipped.items())[:_LISTED]),
        "hidden_skipped": max(0, len(skipped) - _LISTED),
        "duplicates": duplicates,
        "twins": [_twin(parts, pictures) for parts in duplicates.get("across_splits", [])[:_PAIRS]],
        "conflicts": duplicates.get("conflicts", [])[:_LISTED],
        "explored": project.results("explore"),
    }


def montage(project: Project, pictures: Pictures, name: str, classes: int) -> list[Picture]:
    """Return pictures of a class: a random sample of its training images, the same for the same seed.

    Args:
        classes: how many classes share the room.
    """
    rows = pictures.files.get(str(project.settings("build").get("TRAIN_HDF5")))
    if rows is None or name not in rows.label_names:
        return []
    number = rows.label_names.index(name)
    seed = project.settings("build").get("SEED") or 0
    numbers = np.random.default_rng([seed, number]).permutation(np.flatnonzero(rows.labels == number))
    chosen = numbers[: max(3, min(_MONTAGE, _IN_MONTAGES // classes))].tolist()
    return [
        picture(image, f"{name}: {rows.paths[row]}", 96) for row in chosen if (image := rows.picture(row)) is not None
    ]


def _chosen(counts: list[int]) -> list[int]:
    """Return the indices of the classes to show one by one, in their own order."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return sorted(shown_classes(labels, _CLASSES))


def _twin(parts: dict[str, list[str]], pictures: Pictures) -> Twin:
    path = next(iter(parts.values()))[0]
    image = pictures.find(path)
    return Twin(parts, None if image is None else picture(image, f"in several splits: {path}", 96))
