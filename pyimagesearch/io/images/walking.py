"""Walk through folders: which files are images, and what is left out."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.remotefolder import RemoteFolder
from pyimagesearch.utils.text import named

EXTENSIONS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".png", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".gif",
    ".heic", ".heif", ".hif", ".avif",
)  # fmt: skip
_NO_CLASSES = ("@eaDir", "__MACOSX", "$RECYCLE.BIN")  # thumbnails of Synology, notes of macOS, rubbish of Windows
_NAMED = 5


@dataclass(frozen=True)
class LeftOut:
    """Files and folders that a listing left out.

    Attributes:
        suffixes: number of files that are no images, by suffix; ``._*`` are notes of macOS on other files.
        folders: folders that hold no class: hidden ones, and those of operating systems.
        emptied: folders with files, but without any image in them or below.
        missing: names on lines of a CSV list that no file has, by line.
    """

    suffixes: dict[str, int] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    missing: dict[int, str] = field(default_factory=dict)

    def remarks(self) -> list[str]:
        """Say in words what was left out."""
        found = []
        if self.suffixes:
            counts = ", ".join(f"{count:,} {suffix}" for suffix, count in self.suffixes.items())
            found.append(f"left out files that are no images: {counts}")
        if self.emptied:
            found.append(f"left out folders without any image: {named(self.emptied, _NAMED)}")
        if self.folders:
            found.append(f"left out folders that hold no class: {named(self.folders, _NAMED)}")
        if self.missing:
            lines = named([f"line {line} {name}" for line, name in self.missing.items()], _NAMED)
            found.append(f"left out lines of the list whose images are missing, {len(self.missing):,} in all: {lines}")
        return found


def find_images(root: Path | RemoteFolder) -> tuple[list[str], LeftOut]:
    """Return the paths of all images below a folder, sorted and relative to it, and what was left out.

    Links to folders are followed, but not back into a folder that holds them.

    Raises:
        UserError: a folder cannot be listed.
    """
    hidden: list[str] = []
    names = sorted(_remote_names(root) if isinstance(root, RemoteFolder) else _names(root, hidden))
    return _choose(names, hidden)


def _choose(names: Iterable[str], hidden: list[str]) -> tuple[list[str], LeftOut]:
    """Return the images among sorted paths of files, and what is left out; ``hidden`` folders are so already."""
    images: list[str] = []
    suffixes: Counter[str] = Counter()
    taken: dict[str, bool] = {}
    no_classes = dict.fromkeys(hidden)
    for name in names:
        folder, _, file = name.rpartition("/")
        parts = folder.split("/")
        above = next((i for i, part in enumerate(parts) if _is_no_class(part)), None) if folder else None
        if above is not None:
            no_classes["/".join(parts[: above + 1])] = None
        elif file.startswith("._"):
            suffixes["._*"] += 1
        elif file.lower().endswith(EXTENSIONS):
            taken.update((folder.rsplit("/", i)[0], True) for i in range(len(parts)))  # and the folders above
            images.append(name)
        else:
            taken.setdefault(folder, False)
            suffixes[os.path.splitext(file)[1].lower() or "without suffix"] += 1
    emptied = [folder for folder, has_images in taken.items() if folder and not has_images]
    return images, LeftOut(dict(suffixes.most_common()), sorted(no_classes), emptied)


def _is_no_class(folder: str) -> bool:
    return folder.startswith(".") or folder in _NO_CLASSES


def _names(
    folder: Path, hidden: list[str], prefix: str = "", above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[str]:
    """Yield the paths of files relative to the topmost folder.

    Args:
        hidden: receives the folders that hold no class, which are not searched.
        above: identifies the folders that hold this one.
    """
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
        if not _is_folder(entry):
            yield prefix + entry.name
        elif _is_no_class(entry.name):
            hidden.append(prefix + entry.name)
        else:
            yield from _names(folder / entry.name, hidden, f"{prefix}{entry.name}/", above | {here})


def _remote_names(folder: RemoteFolder) -> Iterator[str]:
    for name in folder.names():
        parts = name.split("/")
        # legal in object stores; as a path it could lead anywhere
        if name.lower().endswith(EXTENSIONS) and not {"", ".", ".."}.isdisjoint(parts):
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
