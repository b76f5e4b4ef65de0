"""Find the images that a CSV list names: exactly, or nearly."""

import os
import posixpath
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.remotefolder import RemoteFile
from pyimagesearch.io.images.walking import EXTENSIONS, find_images


class Finder:
    """Find images by their names in a CSV file; each folder is listed once.

    Args:
        path: the CSV file; images are searched beside it, in the folder of the same name, and in ``train``.
    """

    def __init__(self, path: Path | RemoteFile) -> None:
        self._path = path
        self._remote_names: dict[str, list[str]] | None = None
        self._folders = ("", path.stem, "train")
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._by_key: dict[str, list[str]] | None = None

    @property
    def is_on_web(self) -> bool:
        """True if the list is on a web server, which may not list its folders."""
        return isinstance(self._path, RemoteFile) and self._path.parent.is_web

    def find(self, name: str, line: int) -> str | None:
        """Return the path of an image relative to the CSV file's folder, or None.

        Raises:
            UserError: the name leads out of the folder, or matches several images.
        """
        windows = PureWindowsPath(name)
        if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts:
            raise UserError(
                f"dataset: {self._path}, line {line}: images must lie below the folder of the list; received {name}; "
                "write names relative to that folder, without .."
            )
        relative = PurePosixPath(name)
        if self.is_on_web:
            return str(relative) if name.lower().endswith(EXTENSIONS) else None
        for folder in self._folders:
            place = posixpath.join(folder, *relative.parts[:-1])
            found = self._list(place).get(relative.name, [])
            if len(found) > 1:
                raise UserError(
                    f"dataset: {self._path}, line {line}: every name must stand for one image; {name} stands for "
                    f"{' and '.join(found)} in {self._path.parent / place}; write it with its suffix"
                )
            if found:
                return posixpath.join(place, found[0])
        return None

    def near(self, name: str) -> list[str]:
        r"""Return the images whose names differ only in case, ``\`` for ``/``, suffix, or Unicode form."""
        if self.is_on_web:
            return []
        if self._by_key is None:
            self._by_key = {}
            root = self._path.parent
            for path in find_images(root)[0]:
                self._by_key.setdefault(_key(path), []).append(path)
        key = _key(name)
        keys = dict.fromkeys(posixpath.join(_key(folder), key) for folder in self._folders)
        return [path for each in keys for path in self._by_key.get(each, [])]

    def names_image(self, cell: str) -> bool:
        """Return whether a cell ends as the name of an image does, or names an existing one."""
        name = cell.strip()
        try:
            return name.lower().endswith(EXTENSIONS) or self.find(name, 1) is not None
        except UserError:
            return False

    def _list(self, place: str) -> dict[str, list[str]]:
        """Return the images of a folder, by their names with and without suffix."""
        if place not in self._listed:
            files = self._files(place)
            images = [file for file in files if file.lower().endswith(EXTENSIONS)]
            names: dict[str, list[str]] = {}
            for file in images:
                names.setdefault(posixpath.splitext(file)[0], []).append(file)
            self._listed[place] = names | {file: [file] for file in images}
        return self._listed[place]

    def _files(self, place: str) -> list[str]:
        if isinstance(self._path, RemoteFile):
            if self._remote_names is None:
                self._remote_names = {}
                for name in self._path.parent.names():
                    folder, file = posixpath.split(name)
                    self._remote_names.setdefault(folder, []).append(file)
            return sorted(self._remote_names.get(place, []))
        try:
            return sorted(os.listdir(self._path.parent / place))
        except (OSError, ValueError):  # a missing folder, or a name that is invalid on this system
            return []


def _key(name: str) -> str:
    path = unicodedata.normalize("NFC", name.replace("\\", "/")).casefold().removeprefix("./")
    stem, suffix = posixpath.splitext(path)
    return stem if suffix in EXTENSIONS else path
