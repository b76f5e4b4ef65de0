"""Meaning of the names of datasets: images, labels, names or paths, and their split."""

import re
from dataclasses import dataclass

_IMAGES = {
    "images", "image", "imgs", "img", "x", "xs", "data", "pixels", "photos", "photo", "pictures", "picture",
    "features", "feature", "inputs", "input",
}  # fmt: skip
_LABELS = {
    "labels", "label", "y", "ys", "targets", "target", "classes", "class", "categories", "category",
}  # fmt: skip
_NAMES = {"names", "name", "list", "labelnames", "classnames"}
_PATHS = {"paths", "path", "filenames", "filename", "files", "file"}
_FILLING = {"set", "orig", "original", "dataset", "array"}
_SPLITS = {
    "train": "train", "training": "train", "trn": "train", "test": "test", "testing": "test", "val": "val",
    "valid": "val", "validation": "val", "dev": "val",
}  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """Meaning of a path.

    Attributes:
        role: "images", "labels", "names" or "paths".
        split: "train", "val", "test", or "" where the path names none.
        place: the rest of the path: what tells one group of datasets from another.
    """

    role: str
    split: str
    place: str


def meaning_of(path: str) -> Meaning | None:
    """Return what a dataset's path means by the words in it, or None where they are not known.

    The role is that of the last name which has one: "train/data" and "images/train" both hold images.
    """
    role, split = "", ""
    place: list[str] = []
    for name in reversed(path.split("/")):
        words = _words(name)
        found = {_SPLITS[word] for word in words if word in _SPLITS}
        rest = [word for word in words if word not in _SPLITS and word not in _FILLING]
        own = _role(rest)
        if len(found) == 1 and not split:
            split = found.pop()
        if own and not role:
            role = own
        elif rest or not words:
            if not place and not role:
                return None
            place.append(name)
    return Meaning(role, split, "/".join(reversed(place))) if role else None


def split_of(name: str) -> str:
    """Return the split that a group's name says, and nothing else; or ""."""
    words = _words(name)
    return _SPLITS.get(words[0], "") if len(words) == 1 else ""


def _role(words: list[str]) -> str:
    found = set(words)
    if not found or not found <= _IMAGES | _LABELS | _NAMES | _PATHS:
        return ""
    if found & _PATHS:
        return "paths"
    if found & _NAMES:
        return "names" if found & _LABELS or found in ({"names"}, {"labelnames"}, {"classnames"}) else ""
    return "labels" if found & _LABELS else "images"


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case: "trainX", "X_train" and "Xtrain" are two words each."""
    words = []
    for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z]+|\d+", name):
        lower = word.lower()
        if lower[:1] in "xy" and lower[1:] in _SPLITS:
            words += [lower[0], lower[1:]]
        elif lower[-1:] in "xy" and lower[:-1] in _SPLITS:
            words += [lower[:-1], lower[-1]]
        else:
            words.append(lower)
    return words
