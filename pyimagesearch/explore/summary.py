"""The figures of a survey: for JSON, with advice, and as text for a terminal."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from pyimagesearch.explore.look import ODDITIES
from pyimagesearch.explore.survey import Survey
from pyimagesearch.io.images.decoding import range_of
from pyimagesearch.io.images.folder import count_by_class
from pyimagesearch.utils.text import aligned, human_bytes, named, printable

_UNBALANCED = 10  # images of the most common class for each of the rarest
_FEW = 3  # images of a class: one for each split
_MANY_SMALL = 0.2  # share of images that would be enlarged
_SHOWN_CLASSES, _SHOWN_FILES = 20, 5
_NAME, _PATH, _ADVICE = 32, 60, 200  # characters of each that are shown


def summarize(survey: Survey, stored_size: int, channels: int) -> dict[str, Any]:
    """Return all figures of a survey, and advice, as dicts, lists, strings and numbers.

    Args:
        stored_size: side in pixels of the squares that the build step would store.
        channels: colour channels that the build step would store.
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
        "darkest": images.paths[survey.readable[brightness.argmin()]],
        "brightest": images.paths[survey.readable[brightness.argmax()]],
        "channel_means": dict(zip(colours, means.mean(axis=0).tolist(), strict=True)),
        "channel_deviations": dict(zip(colours, means.std(axis=0).tolist(), strict=True)),
        "unreadable": {images.paths[index]: reason for index, reason in survey.unreadable.items()},
        "odd": {kind: {images.paths[index]: text for index, text in odd.items()} for kind, odd in survey.odd.items()},
        "other_files": images.left_out.suffixes,
        "left_out": asdict(images.left_out),
        "duplicates": {
            "exact": [[images.paths[index] for index in group] for group in survey.exact],
            "near": [[images.paths[index] for index in group] for group in survey.near],
            "conflicts": [
                {images.paths[index]: images.label_names[images.labels[index]] for index in group}
                for group in survey.conflicts
            ],
        },
    }
    return result | {"advice": _advice(survey, result, stored_size, channels)}


def _classes(survey: Survey, counts: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Return the figures of every class, the most common first."""
    labels = survey.images.labels
    readable = labels[survey.readable]
    ends = np.cumsum(np.bincount(readable, minlength=len(counts)))
    members = np.split(np.argsort(readable, kind="stable"), ends[:-1])
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
    """Return one line of advice for each figure that asks for it."""
    names = [name for name, each in figures["classes"].items() if each["images"]]
    few = [name for name in names if figures["classes"][name]["images"] < _FEW]
    twice, looks = len(survey.exact) + len(survey.near), survey.looks.values()
    advice = []
    if survey.conflicts:
        advice.append(f"{_count(len(survey.conflicts), 'picture')} with several labels: decide on one of them")
    if survey.unreadable:
        unreadable = _count(len(survey.unreadable), "image")
        advice.append(f'{unreadable} that cannot be read: build with on_error="skip"')
    if twice:
        advice.append('duplicates: build with duplicates="group", or training images may be among the test images')
    if len(names) < 2:
        advice.append("only one class: label_of gives the class of a file, by its name or its folder")
    if few:
        rare = _count(len(few), "class", "classes")
        advice.append(f"{rare} of fewer than {_FEW} images, such as {few[-1]}: every split needs one")
    if figures["imbalance"] > _UNBALANCED:
        advice.append(
            f"{figures['most_common']} has {figures['imbalance']:,.0f} times the images of {figures['rarest']}: train "
            'with class_weight="balanced"'
        )
    if figures["smaller_than_stored"] > _MANY_SMALL * figures["readable"]:
        advice.append(
            f"{figures['smaller_than_stored'] / figures['readable']:.0%} of the images are smaller than stored_size="
            f"{stored_size} and would be enlarged: lower it"
        )
    gray = ("gray" in look.oddities or (len(look.means) == 3 and len(set(look.means)) == 1) for look in looks)
    if channels == 3 and all(gray):
        advice.append("all images are gray: with channels=1 files are a third as large")
    largest = range_of(max(look.largest for look in looks))
    if largest:
        advice.append(f"16-bit images use values up to {largest:,} only and become dark: max_value={largest} mends it")
    return advice


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def report(figures: dict[str, Any]) -> str:
    """Return the figures of `summarize` as text, about one screen of it."""
    parts = [_class_table(figures), _number_table(figures), _colour_table(figures), _findings(figures)]
    if figures["advice"]:
        parts.append(["advice:", *(f"  - {printable(line, _ADVICE)}" for line in figures["advice"])])
    return "\n\n".join("\n".join(part) for part in parts)


def _class_table(figures: dict[str, Any]) -> list[str]:
    classes = list(figures["classes"].items())
    left_out = max(0, len(classes) - _SHOWN_CLASSES)
    rows = [("class", "images", "share", "unreadable", "median size", "brightness")]
    for name, each in classes:
        known = "brightness" in each
        rows.append((
            printable(name, _NAME), f"{each['images']:,}", f"{each['share']:.1%}", f"{each['unreadable']:,}",
            f"{each['median_width']:.0f} x {each['median_height']:.0f}" if known else "-",
            f"{each['brightness']:.1f}" if known else "-",
        ))  # fmt: skip
    half = 1 + _SHOWN_CLASSES // 2
    lines = aligned(rows if not left_out else rows[:half] + rows[half + left_out :])
    if left_out:
        lines.insert(half, f"... {left_out:,} more")
    return [*lines, _balance(figures)]


def _balance(figures: dict[str, Any]) -> str:
    names = figures["most_common"], figures["rarest"]
    most, least = (figures["classes"][name]["images"] for name in names)
    if most == least:
        return f"every class has {most:,} images"
    common, rarest = (printable(name, _NAME) for name in names)
    return f"most common {common}: {most:,}; rarest {rarest}: {least:,}; {figures['imbalance']:,.1f} to 1"


def _number_table(figures: dict[str, Any]) -> list[str]:
    columns = ("min", "median", "mean", "max")
    rows: list[tuple[str, ...]] = [("", *columns)]
    rows += [(name, *(f"{figures[name][column]:,.0f}" for column in columns)) for name in ("width", "height")]
    rows.append(("size", *(human_bytes(figures["bytes"][column]) for column in columns)))
    rows.append(("brightness", *(f"{figures['brightness'][column]:.1f}" for column in columns)))
    formats = ", ".join(f"{count:,} {name}" for name, count in figures["formats"].items())
    return [*aligned(rows), f"stored as: {formats}; {human_bytes(figures['total_bytes'])} in all"]


def _colour_table(figures: dict[str, Any]) -> list[str]:
    means, deviations = figures["channel_means"], figures["channel_deviations"]
    names = list(means)[::-1]
    rows = [("channel", *names), ("mean", *(f"{means[name]:.1f}" for name in names))]
    rows.append(("deviation between images", *(f"{deviations[name]:.1f}" for name in names)))
    return aligned(rows)


def _findings(figures: dict[str, Any]) -> list[str]:
    unreadable, duplicates = figures["unreadable"], figures["duplicates"]
    lines = [_listed("unreadable", "", unreadable)]
    lines += [_listed(kind, ODDITIES[kind], files) for kind, files in figures["odd"].items()]
    if figures["other_files"]:
        others = [f"{count:,} {printable(suffix, _NAME)}" for suffix, count in figures["other_files"].items()]
        lines.append(f"other files: {', '.join(others)}")
    for sort, meaning in (("exact", "equal files"), ("near", "one picture, different files")):
        lines.append(_listed(f"{sort} duplicates", meaning, {" = ".join(group): "" for group in duplicates[sort]}))
    for labels in duplicates["conflicts"][:_SHOWN_FILES]:
        found = [f"{printable(path, _PATH)} is {printable(label, _NAME)}" for path, label in labels.items()]
        lines.append(f"CONFLICT: one picture, several labels: {named(found, _SHOWN_FILES)}")
    if len(duplicates["conflicts"]) > _SHOWN_FILES:
        lines.append(f"CONFLICT: {len(duplicates['conflicts']) - _SHOWN_FILES:,} more, in explore.json")
    return lines


def _listed(kind: str, meaning: str, files: dict[str, str]) -> str:
    """Return a line that counts files, and names the first with their details."""
    if not files:
        return f"{kind}: none"
    found = [printable(path, _PATH) + (f" ({printable(text)})" if text else "") for path, text in files.items()]
    meaning = f" ({meaning})" if meaning else ""
    return f"{kind}: {len(files):,}{meaning}: {named(found, _SHOWN_FILES)}"
