"""A survey's figures as text for a terminal."""

from typing import Any

from pyimagesearch.explore.oddities import ODDITIES
from pyimagesearch.utils.text import aligned, human_bytes

_SHOWN_CLASSES, _SHOWN_FILES, _SHOWN_LETTERS = 20, 5, 32


def printable(text: str, letters: int = _SHOWN_LETTERS) -> str:
    """Return text on one line of at most so many letters, without what a terminal or a font cannot show."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= letters else f"{clean[: letters - 3]}..."


def report(figures: dict[str, Any]) -> str:
    """Return the report of `summary.summarize`'s figures, of about one screen."""
    parts = [_class_table(figures), _number_table(figures), _colour_table(figures), _findings(figures)]
    if figures["advice"]:
        parts.append(["advice:", *(f"  - {printable(line, 200)}" for line in figures["advice"])])
    return "\n\n".join("\n".join(part) for part in parts)


def _class_table(figures: dict[str, Any]) -> list[str]:
    classes = list(figures["classes"].items())
    left_out = max(0, len(classes) - _SHOWN_CLASSES)
    rows = [("class", "images", "share", "unreadable", "median size", "brightness")]
    for name, each in classes:
        known = "brightness" in each
        rows.append((
            printable(name), f"{each['images']:,}", f"{each['share']:.1%}", f"{each['unreadable']:,}",
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
    common, rarest = map(printable, names)
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
    lines = [_named("unreadable", "", unreadable)]
    lines += [_named(kind, ODDITIES[kind], files) for kind, files in figures["odd"].items()]
    if figures["other_files"]:
        others = ", ".join(f"{count:,} {printable(suffix)}" for suffix, count in figures["other_files"].items())
        lines.append(f"not looked at: {others}")
    for sort, meaning in (("exact", "equal files"), ("near", "one picture, different files")):
        lines.append(_named(f"{sort} duplicates", meaning, {" = ".join(group): "" for group in duplicates[sort]}))
    for labels in duplicates["conflicts"][:_SHOWN_FILES]:
        named = [f"{printable(path, 60)} is {printable(label)}" for path, label in labels.items()]
        lines.append(f"CONFLICT: one picture, several labels: {', '.join(named[:_SHOWN_FILES])}")
    if len(duplicates["conflicts"]) > _SHOWN_FILES:
        lines.append(f"CONFLICT: {len(duplicates['conflicts']) - _SHOWN_FILES:,} more, in explore.json")
    return lines


def _named(kind: str, meaning: str, files: dict[str, str]) -> str:
    """Return a line that counts files and names the first of them, each with its detail."""
    if not files:
        return f"{kind}: none"
    named = [f"{printable(path, 60)} ({text})" if text else printable(path, 60) for path, text in files.items()]
    more = ", ..." if len(named) > _SHOWN_FILES else ""
    meaning = f" ({meaning})" if meaning else ""
    return f"{kind}: {len(files):,}{meaning}: {', '.join(named[:_SHOWN_FILES])}{more}"
