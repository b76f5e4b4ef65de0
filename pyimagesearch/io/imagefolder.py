"""Folders of labelled images: listing, labels, splits."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.remote.remotefolder import RemoteFolder, is_remote
from pyimagesearch.utils.digest import fingerprint

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")

LabelFunction = Callable[[str], str]


def label_from_name(path: str) -> str:
    """Return what stands before the first dot of the file's name: ``cat`` for ``cat.0.jpg``."""
    return os.path.basename(path).split(".")[0]


def label_from_folder(path: str) -> str:
    """Return the name of the folder that the file lies in: ``cat`` for ``cat/0.jpg``."""
    return os.path.basename(os.path.dirname(path))


class ImageFolder(NamedTuple):
    """A folder of labelled images.

    Attributes:
        root: the folder; ``root / path`` is an image.
        paths: the images, relative to ``root``, sorted.
        labels: int64 ndarray of shape (n,): for each image the index of its class.
        label_names: the classes, sorted.
    """

    root: Path | RemoteFolder
    paths: list[str]
    labels: np.ndarray
    label_names: list[str]

    def subset(self, indices: np.ndarray) -> "ImageFolder":
        """Return the images at ``indices``, in that order, with all classes."""
        return self._replace(paths=[self.paths[i] for i in indices], labels=self.labels[indices])


def list_image_folder(folder: str | os.PathLike[str], label_of: LabelFunction) -> ImageFolder:
    """List the images below ``folder`` in sorted order, and label each by ``label_of(path)``.

    The folder may be a URL (see `io.remote`), and gives what a copy of it on this machine would. Links to folders
    are followed, but not back into a folder that they lie in. Files whose names begin with ``._`` are left out: a Mac
    keeps notes on other files in them.

    Args:
        label_of: takes a path, returns the class's name; `label_from_name`, `label_from_folder`,
            or your own.

    Raises:
        UserError: the folder is missing, holds no images, or a file has no label.
    """
    root: Path | RemoteFolder
    if is_remote(folder):
        root = RemoteFolder(folder)
        found = sorted(_remote_image_paths(root))
    else:
        root = Path(folder)
        if not root.is_dir():
            raise UserError(
                f"dataset: must be a folder of images; received {root}, which "
                f"{'is a file' if root.exists() else 'does not exist'}; check the path"
            )
        found = sorted(_image_paths(root))
    if not found:
        raise UserError(
            f"dataset: {root} holds no images ({', '.join(EXTENSIONS)}), in no folder below it either; check the path"
        )
    names = [label_of(str(root / path)) for path in found]
    for path, name in zip(found, names, strict=True):
        if not isinstance(name, str) or not name:
            raise UserError(
                f"LABEL_OF: must give the name of a class for every image; for {path} it gave {name!r}; "
                "choose another one in the config"
            )
    label_names, labels = np.unique(names, return_inverse=True)
    return ImageFolder(root, found, labels.astype(np.int64), label_names.tolist())


def _image_paths(folder: Path, prefix: str = "", above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[str]:
    """Yield the paths of images relative to the topmost folder; ``above`` are the folders that this one lies in."""
    try:
        status = os.stat(folder)
        entries = list(os.scandir(folder))
    except OSError as error:
        raise UserError(
            f"dataset: {folder} cannot be listed ({error.strerror}), so its images would be left out "
            "unseen; make it readable, or move it out of the folder"
        ) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for entry in entries:
        if entry.name.startswith("._"):
            continue
        if _is_folder(entry):
            yield from _image_paths(folder / entry.name, f"{prefix}{entry.name}{os.sep}", above | {here})
        elif entry.name.lower().endswith(EXTENSIONS):
            yield prefix + entry.name


def _remote_image_paths(folder: RemoteFolder) -> Iterator[str]:
    for name in folder.names():
        parts = name.split("/")
        if not name.lower().endswith(EXTENSIONS) or any(part.startswith("._") for part in parts):
            continue
        if not {"", ".", ".."}.isdisjoint(parts):  # legal in object stores; as a path it may lead anywhere
            raise UserError(
                f"dataset: names of images in {folder} must have no empty part and no . or .. between slashes; "
                f"received {name!r}; rename it"
            )
        yield name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def check_classes(images: ImageFolder) -> None:
    """Raise a `UserError` if there is one class only."""
    if len(images.label_names) < 2:
        raise UserError(
            f"dataset: at least two classes are needed; all {len(images.paths):,} images of "
            f"{images.root} are labelled {images.label_names[0]!r}; LABEL_OF in the config says "
            "whether labels come from file names or from folders"
        )


def split(labels: np.ndarray, val: float, test: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows into training, validation and test sets, with equal shares of every class.

    Args:
        labels: integer ndarray of shape (n,).
        val, test: how many images each gets: a count, or a fraction of all if below 1.
        seed: the same seed gives the same split.

    Returns:
        Three sorted int64 ndarrays of row numbers; together they hold every row once.

    Raises:
        UserError: there are not enough images.
    """
    from sklearn.model_selection import train_test_split

    counts = {
        "validation": _count("NUM_VAL_IMAGES", val, len(labels)),
        "test": _count("NUM_TEST_IMAGES", test, len(labels)),
    }
    if not 0 <= seed < 2**32:
        raise UserError(f"SEED: must be a whole number from 0 to {2**32 - 1}; received {seed}")
    rest = len(labels) - sum(counts.values())
    classes = Counter(labels.tolist())
    asked = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    if rest < len(classes):
        raise UserError(
            f"split: {asked} images leave {rest:,} of {len(labels):,} for training, and each of the "
            f"{len(classes)} classes needs one; lower NUM_VAL_IMAGES and NUM_TEST_IMAGES in the config"
        )
    too_few = UserError(
        f"split: every set needs an image of each of the {len(classes)} classes; received {len(labels):,} images, "
        f"the rarest class {min(classes.values()):,}, for {asked}; add images of the rarest class or change the "
        "counts in the config"
    )
    rows = np.arange(len(labels))
    sets: list[np.ndarray] = []
    for count in reversed(counts.values()):
        if count < len(classes) or min(Counter(labels[rows].tolist()).values()) < 2:
            raise too_few
        rows, chosen = train_test_split(rows, test_size=count, stratify=labels[rows], random_state=seed)
        sets.insert(0, np.sort(chosen))
    sets.insert(0, np.sort(rows))
    if any(len(np.unique(labels[chosen])) < len(classes) for chosen in sets):
        raise too_few
    train, validation, testing = sets
    return train, validation, testing


def _count(name: str, size: float, n: int) -> int:
    if not isinstance(size, int | float) or size <= 0 or (size > 1 and size != int(size)):
        raise UserError(f"{name}: must be a count of images, or a fraction between 0 and 1; received {size!r}")
    return round(size * n) if size < 1 else int(size)


def build_mark(images: ImageFolder, rows: Sequence[np.ndarray], history: str) -> str:
    """Return a mark that tells one build from another: of the images, their split and treatment."""
    lines = (f"{images.labels[row]} {images.paths[row]}" for chosen in rows for row in chosen.tolist())
    return fingerprint([history, *(str(len(chosen)) for chosen in rows), *lines])


def count_by_class(labels: np.ndarray, label_names: Sequence[str]) -> dict[str, int]:
    """Return the number of rows of each class, by its name."""
    counts = np.bincount(labels, minlength=len(label_names))
    return dict(zip(label_names, counts.tolist(), strict=True))
