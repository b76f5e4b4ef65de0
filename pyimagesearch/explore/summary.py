"""The figures of a survey, ready for JSON, and what they advise."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from pyimagesearch.explore.survey import Survey
from pyimagesearch.io.images.folder import count_by_class

_UNBALANCED = 10  # images of the most common class for each of the rarest
_FEW = 3  # images of a class: one for each split
_MANY_SMALL = 0.2  # share of images that would be enlarged


def summarize(survey: Survey, stored_size: int, channels: int) -> dict[str, Any]:
    """Return all figures of a survey.

    Args:
        stored_size: side of the squares, in pixels, that the build step would make.
        channels: colours that the build step would keep.
    """
    images, looks = survey.images, survey.looks
    counts = count_by_class(images.labels, images.label_names)
    present = sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name])
    common, rarest = present[0], present[-1]
    means, sizes, brightness = survey.means, survey.sizes, survey.brightness
    colours = ("B", "G", "R") if means.shape[1] == 3 else ("gray",)
    kinds = Counter(look.kind for look in looks.values())
    result = {
        "images": len(images.labels),
        "readable": len(looks),
        "classes": _classes(survey, counts),
        "rarest": rarest,
        "most_common": common,
        "imbalance": counts[common] / counts[rarest],
        "width": _spread(sizes[:, 0]),
        "height": _spread(sizes[:, 1]),
        "smaller_than_stored": int((sizes.min(axis=1) < stored_size).sum()),
        "formats": dict(kinds.most_common()),
        "bytes": _spread([look.size for look in looks.values()]),
        "total_bytes": sum(look.size for look in looks.values()),
        "brightness": _spread(brightness),
        "darkest": images.paths[survey.rows[brightness.argmin()]],
        "brightest": images.paths[survey.rows[brightness.argmax()]],
        "channel_means": dict(zip(colours, means.mean(axis=0).tolist(), strict=True)),
        "channel_deviations": dict(zip(colours, means.std(axis=0).tolist(), strict=True)),
        "unreadable": {images.paths[row]: reason for row, reason in survey.unreadable.items()},
        "odd": {kind: {images.paths[row]: text for row, text in odd.items()} for kind, odd in survey.odd.items()},
        "other_files": images.other_files,
        "duplicates": {
            "exact": [[images.paths[row] for row in group] for group in survey.exact],
            "near": [[images.paths[row] for row in group] for group in survey.near],
            "conflicts": [
                {images.paths[row]: images.label_names[images.labels[row]] for row in group}
                for group in survey.conflicts
            ],
        },
    }
    return result | {"advice": _advice(survey, result, stored_size, channels)}


def _classes(survey: Survey, counts: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Return the figures of every class, the most common first."""
    rows, labels = survey.rows, survey.images.labels
    of_readable = np.bincount(labels[rows], minlength=len(counts))
    members = np.split(np.argsort(labels[rows], kind="stable"), np.cumsum(of_readable)[:-1])
    sizes, brightness = survey.sizes, survey.brightness
    classes = {}
    for (name, count), mine in zip(counts.items(), members, strict=True):
        known = {
            "median_width": float(np.median(sizes[mine, 0])),
            "median_height": float(np.median(sizes[mine, 1])),
            "brightness": float(brightness[mine].mean()),
        } if len(mine) else {}  # fmt: skip
        classes[name] = {"images": count, "share": count / len(labels), "unreadable": count - len(mine)} | known
    return dict(sorted(classes.items(), key=lambda item: -item[1]["images"]))


def _spread(values: Iterable[float] | np.ndarray) -> dict[str, float]:
    numbers = np.asarray(values, float)
    low, median, high = np.percentile(numbers, (0, 50, 100)).tolist()
    return {"min": low, "median": median, "mean": float(numbers.mean()), "max": high}


def _advice(survey: Survey, figures: dict[str, Any], stored_size: int, channels: int) -> list[str]:
    """Return what to do about the figures; nothing where they are as they should be."""
    names = [name for name, each in figures["classes"].items() if each["images"]]
    few = [name for name in names if figures["classes"][name]["images"] < _FEW]
    twice = len(survey.exact) + len(survey.near)
    advice = []
    if survey.conflicts:
        advice.append(f"{_count(len(survey.conflicts), 'picture')} with several labels: decide on one of them")
    if survey.unreadable:
        advice.append(f"{_count(len(survey.unreadable), 'image')} that cannot be read: build with --on-error skip")
    if twice:
        advice.append("pictures that are there more than once: build with --duplicates group, or the test set leaks")
    if len(names) < 2:
        advice.append("only one class: LABEL_OF in the config says how labels are found, by file name or by folder")
    if few:
        advice.append(
            f"{_count(len(few), 'class', 'classes')} of fewer than {_FEW} images, as {few[-1]}: every split needs one"
        )
    if figures["imbalance"] > _UNBALANCED:
        advice.append(
            f"{figures['most_common']} has {figures['imbalance']:,.0f} times the images of {figures['rarest']}: train "
            'with class_weight="balanced"'
        )
    if figures["smaller_than_stored"] > _MANY_SMALL * figures["readable"]:
        advice.append(
            f"{figures['smaller_than_stored'] / figures['readable']:.0%} of the images are smaller than STORED_SIZE = "
            f"{stored_size} and would be enlarged: lower it"
        )
    gray = sum("gray" in look.oddities for look in survey.looks.values())
    if channels == 3 and gray == len(survey.looks):
        advice.append("all images are gray: with CHANNELS = 1 files are a third as large")
    return advice


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
