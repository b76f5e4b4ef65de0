"""Read lists of labelled images from CSV files, in Kaggle's layout: ``labels.csv`` beside ``train/ID.jpg``."""

import csv
import io
import os
import posixpath
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TextIO

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.folder import EXTENSIONS, ImageFolder, LabelFunction, list_image_folder
from pyimagesearch.io.images.remotefolder import RemoteFile, RemoteFolder, is_remote
from pyimagesearch.utils.text import named

FILE_COLUMNS = ("id", "image", "image_id", "file", "filename", "file_name", "path")
LABEL_COLUMNS = ("label", "class", "breed", "category")

_NAMED_IN_ERROR = 5


def is_image_list(path: str | os.PathLike[str]) -> bool:
    """Return whether ``path`` names a CSV list of images, by its suffix."""
    return Path(path).suffix.lower() == ".csv"


def list_images(path: str | os.PathLike[str], label_of: LabelFunction) -> ImageFolder:
    """List the images of a folder, or those that a CSV file names if ``path`` ends in ``.csv``.

    Args:
        path: folder, CSV file, or the URL of either.
        label_of: returns the class of a file for its path; unused for a CSV file, which holds the labels.

    Raises:
        UserError: there is no such folder or file, or it does not give labelled images.
    """
    return list_image_csv(path) if is_image_list(path) else list_image_folder(path, label_of)


def list_image_csv(path: str | os.PathLike[str]) -> ImageFolder:
    """List the images that a CSV file names, with their labels.

    The first line names the columns. Images are in the first column whose name is one of `FILE_COLUMNS`, else in column
    1; labels in the first of `LABEL_COLUMNS`, else in column 2. Each image is searched beside the CSV file, in the
    folder of the same name, and in ``train``; a name without an image suffix stands for the only file that has it.
    Commas, semicolons or tabs separate columns.

    The CSV file may be a URL (see `remotefolder`). A web server may not list its folders, so nothing is searched there:
    names need their folder and suffix.

    Returns:
        The images, sorted by path, relative to the folder of the CSV file.

    Raises:
        UserError: the file cannot be read, has no header, or has an invalid line.
    """
    path = _remote_file(os.fspath(path)) if is_remote(path) else Path(path)
    finder = _Finder(path)
    lines: dict[str, int] = {}
    labels: dict[str, str] = {}
    missing: list[str] = []
    for line, name, label in _entries(path, finder):
        found = finder.find(name, line)
        if found is None:
            missing.append(f"line {line} {name}")
            continue
        if found in lines:
            raise UserError(
                f"dataset: {path}, line {line}: every image must be listed once; {found} is also in line "
                f"{lines[found]}; remove one of them"
            )
        lines[found], labels[found] = line, label
    if missing:
        first = named(missing, _NAMED_IN_ERROR)
        if _is_on_web(path):
            raise UserError(
                f"dataset: {path} is on a web server and must name images with their suffixes; suffixes are missing "
                f"in {first}; add them, or remove the lines"
            )
        raise UserError(
            f"dataset: {path} must name images that lie beside it, in {path.stem} or in train; missing are those "
            f"of {first}; move the images there, or remove the lines"
        )
    if not lines:
        raise UserError(f"dataset: {path} names no images; every line after the first must have a name and a label")
    paths = sorted(lines)
    label_names, numbers = np.unique([labels[each] for each in paths], return_inverse=True)
    return ImageFolder(path.parent, paths, numbers.astype(np.int64), label_names.tolist())


def _remote_file(url: str) -> RemoteFile:
    folder, name = posixpath.split(url)
    return RemoteFolder(folder) / name


def _is_on_web(path: Path | RemoteFile) -> bool:
    return isinstance(path, RemoteFile) and path.parent.is_web


def _open(path: Path | RemoteFile) -> TextIO:
    if isinstance(path, RemoteFile):
        return io.TextIOWrapper(io.BytesIO(path.read()), encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _entries(path: Path | RemoteFile, finder: "_Finder") -> Iterator[tuple[int, str, str]]:
    """Yield the line number, image name and label of every line."""
    try:
        with _open(path) as file:
            first = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=first.count))
            header = next(rows, [])
            file_column, label_column = _columns(header, path, finder)
            for row in rows:
                if not any(map(str.strip, row)):
                    continue
                if len(row) <= max(file_column, label_column):
                    raise UserError(
                        f"dataset: {path}, line {rows.line_num}: must have {len(header)} columns; received {len(row)}; "
                        "correct the line"
                    )
                name, label = row[file_column].strip(), row[label_column].strip()
                if not name or not label:
                    raise UserError(
                        f"dataset: {path}, line {rows.line_num}: must have a name and a label; received {name!r} and "
                        f"{label!r}; fill them in, or remove the line"
                    )
                yield rows.line_num, name, label
    except OSError as error:
        raise UserError(
            f"dataset: {path} cannot be read ({error.strerror}); pass a CSV file with a name and a label on every line"
        ) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"dataset: {path} must be a CSV file in UTF-8; it is not ({error}); save it as such") from error


def _columns(header: list[str], path: Path | RemoteFile, finder: "_Finder") -> tuple[int, int]:
    """Return the indices of the columns of names and labels."""
    names = [name.strip().lower() for name in header]
    if len(names) < 2:
        raise UserError(
            f"dataset: {path}, line 1: must name the columns of images and labels, as in id,label; received "
            f"{','.join(header) or 'nothing'}; add such a line"
        )
    file_column = next((i for i, name in enumerate(names) if name in FILE_COLUMNS), None)
    label_column = next((i for i, name in enumerate(names) if name in LABEL_COLUMNS), None)
    if file_column is None:
        file_column = 1 if label_column == 0 else 0
    if label_column is None:
        label_column = 0 if file_column == 1 else 1
    name = header[file_column].strip()
    known = set(names) & {*FILE_COLUMNS, *LABEL_COLUMNS}
    if not known and (name.lower().endswith(EXTENSIONS) or finder.find(name, 1) is not None):
        raise UserError(
            f"dataset: {path}, line 1: must name the columns, as in id,label; received the image {name}; add such a "
            "line before it"
        )
    return file_column, label_column


class _Finder:
    """Find images by their names in a CSV file; each folder is listed once."""

    def __init__(self, path: Path | RemoteFile) -> None:
        self._path = path
        self._remote_names: dict[str, list[str]] | None = None
        self._folders = ("", path.stem, "train")
        self._listed: dict[str, dict[str, list[str]]] = {}

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
        if _is_on_web(self._path):
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
