"""List the images of a folder with their labels."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.remotefolder import RemoteFolder, is_remote
from pyimagesearch.io.images.walking import EXTENSIONS, LeftOut, find_images
from pyimagesearch.utils.text import classes_in_words, digest, named

SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Names of splits that others use, in lower case, and ours."""

LabelFunction = Callable[[str], str]

_NAMED = 5
_MANY_CLASSES = 10  # from this many images on, classes of one image each are no classes


def label_from_name(path: str) -> str:
    """Return the file name up to its first dot: ``cat`` for ``cat.0.jpg``."""
    return os.path.basename(path).split(".")[0]


def label_from_folder(path: str) -> str:
    """Return the name of the folder that holds the file: ``cat`` for ``cat/0.jpg``."""
    return os.path.basename(os.path.dirname(path))


class ImageFolder(NamedTuple):
    """Labelled images of a folder.

    Attributes:
        root: the folder; ``root / path`` is an image.
        paths: sorted paths relative to ``root``, with ``/`` between folders on every system.
        labels: int64 ndarray of shape (n,): the index of each image's class.
        label_names: sorted names of the classes.
        splits: "train", "val" or "test" for each image, if folders or the list tell; else empty.
        groups: name of each image's group, "" for an image alone; empty without groups.
        left_out: what the listing left out.
        columns: the columns that were taken from a CSV list, by what they hold.
    """

    root: Path | RemoteFolder
    paths: list[str]
    labels: np.ndarray
    label_names: list[str]
    splits: Sequence[str] = ()
    groups: Sequence[str] = ()
    left_out: LeftOut = LeftOut()
    columns: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"<ImageFolder {self.root}: {len(self.paths):,} images; {classes_in_words(self.label_names)}>"

    def subset(self, indices: np.ndarray) -> "ImageFolder":
        """Return the images at ``indices``, in that order; the classes stay."""
        return self._replace(
            paths=[self.paths[i] for i in indices],
            labels=self.labels[indices],
            splits=[self.splits[i] for i in indices] if self.splits else (),
            groups=[self.groups[i] for i in indices] if self.groups else (),
        )

    @property
    def counts(self) -> dict[str, int]:
        """Number of images of each class, by its name."""
        return count_by_class(self.labels, self.label_names)


def list_image_folder(
    folder: str | os.PathLike[str],
    label_of: LabelFunction,
    *,
    group_of: Callable[[str], Any] | None = None,
    keep_splits: bool = True,
) -> ImageFolder:
    """List the images below ``folder`` in sorted order, and label each by ``label_of(path)``.

    The folder may be a URL (see `remotefolder`) and then gives what a local copy would. Links to folders are followed,
    but not back into a folder that holds them. Folders that hold no class, and files that are no images by their
    suffix, are left out and counted.

    Args:
        label_of: returns the name of the class for a path: `label_from_name`, `label_from_folder`, or your own.
        group_of: returns the name of the group (a patient, a video) for a path, None or "" for an image alone.
        keep_splits: whether folders ``train`` and ``val`` or ``test`` (see `SPLITS`) that hold all images are splits.

    Raises:
        UserError: the folder is missing, holds no images, or a file has no label.
    """
    root: Path | RemoteFolder
    if is_remote(folder):
        root = RemoteFolder(folder)
    else:
        root = Path(folder)
        if not root.is_dir():
            raise UserError(
                f"dataset: must be a folder of images; received {root}, which "
                f"{'is a file' if root.exists() else 'does not exist'}; check the path"
            )
    found, left_out = find_images(root)
    if not found:
        raise UserError(
            f"dataset: {root} holds no images ({', '.join(EXTENSIONS)}), in no folder below it either; check the path"
        )
    labels = [label_of(str(root / path)) for path in found]
    for path, name in zip(found, labels, strict=True):
        if not isinstance(name, str) or not name:
            raise UserError(
                f"label_of: must return the name of a class for every image; for {path} it returned {name!r}; "
                "use another function"
            )
    if label_of is label_from_name:
        _check_numbers(found, labels)
    splits = known_splits([path.partition("/")[0] for path in found]) if keep_splits else ()
    if {name.lower() for name in labels} <= set(SPLITS):
        splits = ()
    groups = groups_of(root, found, group_of)
    return labelled(root, found, labels, splits=splits, groups=groups, left_out=left_out)


def labelled(root: Path | RemoteFolder, paths: list[str], names: Sequence[str], **more: Any) -> ImageFolder:
    """Return images by the names of their classes; ``more`` are other attributes of `ImageFolder`."""
    label_names, labels = np.unique(names, return_inverse=True)
    return ImageFolder(root, paths, labels.astype(np.int64), label_names.tolist(), **more)


def groups_of(root: Path | RemoteFolder, paths: Sequence[str], group_of: Callable[[str], Any] | None) -> list[str]:
    """Return the name of each image's group, "" if it has none; an empty list without ``group_of``."""
    found = [group_of(str(root / path)) for path in paths] if group_of else []
    return ["" if each is None else str(each) for each in found]


def known_splits(names: Sequence[str]) -> list[str]:
    """Return ours for others' names of splits; an empty list unless all are known and include two splits, train first.

    >>> known_splits(["Training", "valid", "Training"])
    ['train', 'val', 'train']
    """
    ours = {name: SPLITS.get(name.strip().lower(), "") for name in set(names)}
    found = set(ours.values())
    return [ours[name] for name in names] if "" not in found and "train" in found and len(found) > 1 else []


def _check_numbers(paths: Sequence[str], labels: Sequence[str]) -> None:
    """Raise a `UserError` if the names of files are numbers, and those of folders could be the classes."""
    folders = sorted({label_from_folder(path) for path in paths})
    numbers = [
        name for path, name in zip(paths, labels, strict=True) if re.search(r"\d$", name) and _stem(path) == name
    ]
    classes = sorted(set(numbers))
    if 2 * len(numbers) > len(paths) and 2 <= len(folders) < len(classes):
        raise UserError(
            f"label_of: {len(classes):,} classes such as {named(classes[:3], 3)} look like numbers of files, while "
            f"folders would give {len(folders):,}: {named(folders, _NAMED)}; use label_from_folder, or a function of "
            "your own"
        )


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _check_targets(where: str, names: Sequence[str]) -> None:
    """Raise a `UserError` if the labels of a list are several for an image, or numbers with a fraction."""
    lists = [name for name in names if _is_list(name, names)]
    if lists:
        raise UserError(
            f"{where} gives several labels to an image, such as {lists[0]!r}: images have one class each here; write "
            "one name on every line, or leave these lines out"
        )
    try:
        fractions = [name for name, value in zip(names, map(float, names), strict=True) if value % 1]
    except ValueError:  # a name
        fractions = []
    if fractions:
        raise UserError(
            f"{where} gives numbers to predict, such as {fractions[0]}: images have a class each here; write names of "
            'classes, such as "low" and "high", or take labels from elsewhere'
        )


def _is_list(name: str, names: Sequence[str]) -> bool:
    """Return whether a label is a list as ``cat|dog``, or as ``cat, dog`` where cat and dog are labels as well."""
    if all(part.strip() for part in name.split("|")) and "|" in name:
        return True
    parts = [part.strip() for part in re.split("[,;]", name)]
    return len(parts) > 1 and set(parts) <= set(names)


def check_classes(images: ImageFolder) -> None:
    """Raise a `UserError` unless there are at least two classes, and most of them have several images."""
    n, classes = len(images.paths), len(images.label_names)
    if images.columns:
        _check_targets(f"label_column: the column {images.columns['labels']}", images.label_names)
    if n >= _MANY_CLASSES and 2 * classes > n:
        where = f"label_column: the column {images.columns['labels']}" if images.columns else "label_of: it"
        raise UserError(
            f"{where} gives {classes:,} different values to {n:,} images, such as {named(images.label_names[:3], 3)}: "
            "numbers to predict or names of images, no classes; take labels from elsewhere"
        )
    if classes < 2:
        raise UserError(
            f"dataset: at least two classes are needed; all {len(images.paths):,} images of "
            f"{images.root} are labelled {images.label_names[0]!r}; label_of decides whether labels come from file "
            "names or from folders"
        )


def build_mark(images: ImageFolder, rows: Sequence[np.ndarray], history: str) -> str:
    """Return a mark that two builds share only if their images, splits and ``history`` are equal."""
    lines = (f"{images.labels[row]} {images.paths[row]}" for chosen in rows for row in chosen.tolist())
    return digest([history, *(str(len(chosen)) for chosen in rows), *lines])


def count_by_class(labels: np.ndarray, label_names: Sequence[str]) -> dict[str, int]:
    """Return how many of ``labels`` belong to each class, by its name."""
    counts = np.bincount(labels, minlength=len(label_names))
    return dict(zip(label_names, counts.tolist(), strict=True))
