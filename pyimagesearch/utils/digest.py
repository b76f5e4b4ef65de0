"""Short marks that tell one thing from another: lists of names, contents of files."""

import hashlib
import os
from collections.abc import Iterable


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
