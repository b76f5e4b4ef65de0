"""Find the datasets of images and of labels that belong together, by their names and shapes."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from pyimagesearch.errors import UnrecognisedError
from pyimagesearch.io.foreign.axes import CHANNELS
from pyimagesearch.io.foreign.listing import DatasetEntry, Listing, contents

KEY = "KEY"
"""Stands in a suggestion for what only the user knows."""

Key = tuple[str, str]
"""Place and split."""

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


@dataclass
class Pair:
    """Datasets that belong together: images, their labels, and what else the file has beside them.

    Attributes:
        remarks: what was left out, as sentences.
    """

    images: DatasetEntry
    labels: DatasetEntry
    key: Key
    remarks: list[str]


def meanings(listing: Listing) -> dict[str, Meaning]:
    """Return what the paths of a file's datasets mean; a second name of one dataset is left out."""
    found: dict[str, Meaning] = {}
    seen: set[int] = set()
    for entry in sorted(listing.datasets, key=lambda entry: (entry.path.count("/"), entry.path)):
        meaning = meaning_of(entry.path)
        if meaning is not None and entry.address not in seen:
            found[entry.path] = meaning
            seen |= {entry.address} - {0}
    return found


def can_be_images(entry: DatasetEntry) -> bool:
    """Return whether a dataset may hold all images, or feature vectors, by its shape and dtype."""
    if entry.problem:
        return True  # is refused by its problem, if it is chosen
    if entry.attributes.get("MATLAB_class") == "char":
        return False
    if entry.image_files and not entry.numeric:
        return entry.size == max(entry.shape, default=0)
    return entry.numeric and len(entry.shape) in (2, 3, 4) and not (len(entry.shape) == 2 and 1 in entry.shape)


def label_count(entry: DatasetEntry) -> int:
    """Return for how many rows a dataset may hold the labels, or -1 where it cannot hold any."""
    sides = entry.shape[::-1] if entry.matlab else entry.shape
    if entry.attributes.get("MATLAB_class") == "char" or entry.image_files:
        return -1
    if not (entry.numeric or entry.kind == "text") or len(sides) not in (1, 2):
        return -1
    if len(sides) == 1 or 1 in sides:
        return entry.size
    return sides[0] if entry.numeric else -1


def has_rows(images: DatasetEntry, count: int) -> bool:
    """Return whether a dataset may hold so many rows: on its first axis, or on its last unless that is the channels."""
    return bool(images.shape) and (
        images.shape[0] == count or (images.shape[-1] == count and (images.matlab or count not in CHANNELS))
    )


def find_pair(listing: Listing) -> Pair | None:
    """Return the images and labels of a file whose names are plain; None where no such two are there.

    Of the splits of one data set, train is taken and the others are named.

    Raises:
        UnrecognisedError: there are two candidates for one of them.
    """
    images: dict[Key, list[DatasetEntry]] = defaultdict(list)
    labels: dict[Key, list[DatasetEntry]] = defaultdict(list)
    for path, meaning in meanings(listing).items():
        entry = listing.get(path)
        if entry is None:
            continue
        key = (meaning.place, meaning.split)
        if meaning.role == "images" and can_be_images(entry):
            images[key].append(entry)
        elif meaning.role == "labels" and (entry.problem or label_count(entry) >= 0):
            labels[key].append(entry)
    pairs = {key: _matching(images[key], labels[key]) for key in images if key in labels}
    pairs = {key: found for key, found in pairs.items() if found}
    if not pairs:
        return None
    taken = _key(listing, pairs)
    chosen = pairs[taken]
    if len(chosen) > 1:
        raise _two(listing, chosen)
    remarks = [
        f"{other.path} and {others.path} ({split or 'no split'}) are left out; images='{other.path}', "
        f"labels='{others.path}' takes them instead"
        for (place, split), ((other, others), *_) in pairs.items()
        if (place, split) != taken
    ]
    return Pair(*chosen[0], taken, remarks)


def _matching(images: list[DatasetEntry], labels: list[DatasetEntry]) -> list[tuple[DatasetEntry, DatasetEntry]]:
    """Return the pairs whose numbers of rows agree; all pairs, where none agrees."""
    every = [(left, right) for left in images for right in labels]
    sound = [(left, right) for left, right in every if not left.problem and not right.problem]
    agree = [(left, right) for left, right in sound if has_rows(left, label_count(right))]
    return agree or sound or every


def _key(listing: Listing, pairs: Mapping[Key, list[tuple[DatasetEntry, DatasetEntry]]]) -> Key:
    keys = list(pairs)
    splits = {split for _, split in keys}
    if len({place for place, _ in keys}) == 1:
        if len(keys) == 1:
            return keys[0]
        preferred = splits & {"train", ""}
        if len(preferred) == 1:
            return keys[0][0], preferred.pop()
    raise _two(listing, [pair for found in pairs.values() for pair in found])


def _two(listing: Listing, pairs: list[tuple[DatasetEntry, DatasetEntry]]) -> UnrecognisedError:
    images = list(dict.fromkeys(image.path for image, _ in pairs))
    labels = list(dict.fromkeys(label.path for _, label in pairs))
    return UnrecognisedError(
        f"data set: which datasets are the images and labels must be plain; in {listing.file} images may be "
        f"{' or '.join(images)}, labels {' or '.join(labels)}; it holds "
        f"{contents(listing.datasets)}",
        {"images": images[0] if len(images) == 1 else KEY, "labels": labels[0] if len(labels) == 1 else KEY},
    )
