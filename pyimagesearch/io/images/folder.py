"""List the images of a folder with their labels."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.remotefolder import RemoteFolder, is_remote
from pyimagesearch.utils.text import digest

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")
LabelFunction = Callable[[str], str]


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
    """

    root: Path | RemoteFolder
    paths: list[str]
    labels: np.ndarray
    label_names: list[str]

    def subset(self, indices: np.ndarray) -> "ImageFolder":
        """Return the images at ``indices``, in that order; the classes stay."""
        return self._replace(paths=[self.paths[i] for i in indices], labels=self.labels[indices])

    @property
    def counts(self) -> dict[str, int]:
        """Number of images of each class, by its name."""
        return count_by_class(self.labels, self.label_names)


def list_image_folder(folder: str | os.PathLike[str], label_of: LabelFunction) -> ImageFolder:
    """List the images below ``folder`` in sorted order, and label each by ``label_of(path)``.

    The folder may be a URL (see `remotefolder`) and then gives what a local copy would. Links to folders are followed,
    but not back into a folder that holds them. Names that begin with ``._`` are left out: macOS keeps notes on other
    files there.

    Args:
        label_of: returns the name of the class for a path: `label_from_name`, `label_from_folder`, or your own.

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
                f"label_of: must return the name of a class for every image; for {path} it returned {name!r}; "
                "use another function"
            )
    label_names, labels = np.unique(names, return_inverse=True)
    return ImageFolder(root, found, labels.astype(np.int64), label_names.tolist())


def _image_paths(folder: Path, prefix: str = "", above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[str]:
    """Yield the paths of images relative to the topmost folder; ``above`` identifies the folders that hold this one."""
    try:
        status = os.stat(folder)
        entries = list(os.scandir(folder))
    except OSError as error:
        raise UserError(
            f"dataset: {folder} cannot be listed ({error.strerror}), and its images would be missing silently; "
            "make it readable, or move it elsewhere"
        ) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for entry in entries:
        if entry.name.startswith("._"):
            continue
        if _is_folder(entry):
            yield from _image_paths(folder / entry.name, f"{prefix}{entry.name}/", above | {here})
        elif entry.name.lower().endswith(EXTENSIONS):
            yield prefix + entry.name


def _remote_image_paths(folder: RemoteFolder) -> Iterator[str]:
    for name in folder.names():
        parts = name.split("/")
        if not name.lower().endswith(EXTENSIONS) or any(part.startswith("._") for part in parts):
            continue
        if not {"", ".", ".."}.isdisjoint(parts):  # legal in object stores; as a path it could lead anywhere
            raise UserError(
                f"dataset: names of images in {folder} must have no empty part and no . or .. between slashes; "
                f"received {name!r}; rename it"
            )
        yield name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points to itself
        return False


def check_classes(images: ImageFolder) -> None:
    """Raise a `UserError` unless there are at least two classes."""
    if len(images.label_names) < 2:
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
