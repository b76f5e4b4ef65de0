"""Texts: digests, sizes, tables, JSON, URLs without their secrets."""

import hashlib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def fingerprint(texts: Iterable[str]) -> str:
    """Return 16 hexadecimal digits that depend on every text and on their order."""
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "backslashreplace")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:16]


def file_fingerprint(path: str | os.PathLike[str]) -> str:
    """Return 16 hexadecimal digits that depend on a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


_CREDENTIALS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+://)[^/\s\"']*@")


_QUERY = re.compile(r"\b(https?://[^\s?#\"']*)[?#][^\s\"']*", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """Return text whose URLs have lost what may be secret: user and password, and on the web what follows ``?``."""
    return _QUERY.sub(r"\1", _CREDENTIALS.sub(r"\1", text))


def as_json(value: Any) -> Any:
    """Return ``value`` as dicts, lists, strings, finite numbers, booleans and None.

    Arrays and numpy's numbers become lists and numbers, functions and classes their full names, paths text, numbers
    that are not finite None, and whatever else there is its ``repr``.
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
    if hasattr(value, "tolist"):  # arrays and numbers of numpy, without importing it
        return as_json(value.tolist())
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def human_bytes(count: float) -> str:
    """Return a size in bytes as people write it: ``491 kB``, ``1.2 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: the first column to the left, the others to the right."""
    left, *right = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join([first.ljust(left), *(cell.rjust(width) for cell, width in zip(rest, right, strict=True))]).rstrip()
        for first, *rest in rows
    ]
