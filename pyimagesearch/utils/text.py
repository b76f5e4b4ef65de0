"""Text to print, to record and to compare."""

import hashlib
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

_CREDENTIALS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+://)[^/\s\"']*@")
_QUERY = re.compile(r"\b(https?://[^\s?#\"']*)[?#][^\s\"']*", re.IGNORECASE)


def printable(text: str, most: int | None = None) -> str:
    r"""Escape the characters that would steer a terminal or show nothing, as ``\n`` or ``\x1b``.

    Args:
        most: length to cut the result to, "..." included; None keeps all of it.
    """
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return clean if most is None or len(clean) <= most else f"{clean[: most - 3]}..."


def named(items: Collection[str], most: int, separator: str = ", ") -> str:
    """Join the first ``most`` items and count the others: ``a, b and 3 more``."""
    text = separator.join(islice(items, most))
    return f"{text} and {len(items) - most:,} more" if len(items) > most else text


def classes_in_words(names: Sequence[str], count: int | None = None) -> str:
    """Describe classes in a few words: ``2 classes: cat, dog``, ``no names of classes``.

    Args:
        count: how many there are, if some have no name.
    """
    if not names:
        return "no names of classes" if count is None else f"{count:,} classes without names"
    return f"{count or len(names):,} classes: {printable(named(names, 5), 100)}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: the first column aligned left, the others right."""
    left, *right = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join([first.ljust(left), *(cell.rjust(width) for cell, width in zip(rest, right, strict=True))]).rstrip()
        for first, *rest in rows
    ]


def human_bytes(count: float) -> str:
    """Return a size in bytes as people write it: ``491 kB``, ``1.2 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def without_credentials(text: str) -> str:
    """Remove what may be secret from the URLs in a text: user and password, and the query of web addresses."""
    return _QUERY.sub(r"\1", _CREDENTIALS.sub(r"\1", text))


def as_json(value: Any) -> Any:
    """Convert any value to dicts, lists, strings, finite numbers, booleans and None.

    Arrays and NumPy scalars become lists and numbers, paths text, functions and classes their full names, NaN and
    infinity None, and all else its ``repr``.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(each) for each in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars, without importing NumPy
        return as_json(value.tolist())
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def digest(texts: Iterable[str]) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of all texts, in their order."""
    sha256 = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "backslashreplace")
        sha256.update(len(data).to_bytes(8, "little") + data)  # the length keeps ("ab", "c") and ("a", "bc") apart
    return sha256.hexdigest()[:16]


def file_digest(path: str | os.PathLike[str]) -> str:
    """Return the first 16 hexadecimal digits of a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
