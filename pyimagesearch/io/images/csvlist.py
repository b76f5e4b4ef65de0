"""Lists of labelled images in CSV files, as Kaggle gives them out: ``labels.csv`` beside ``train/ID.jpg``."""

import csv
import io
import os
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
    """Return whether ``path`` is that of a list of images, by its suffix."""
    return Path(path).suffix.lower() == ".csv"


def list_images(path: str | os.PathLike[str], label_of: LabelFunction) -> ImageFolder:
    """List the images of a folder, or of a CSV file if ``path`` ends in ``.csv``.

    Args:
        label_of: the class of a file, by its path; for folders, as a CSV file has its own labels.

    Raises:
        UserError: there is no such folder or file, or it is no list of labelled images.
    """
    return list_image_csv(path) if is_image_list(path) else list_image_folder(path, label_of)


def list_image_csv(path: str | os.PathLike[str]) -> ImageFolder:
    """List the images that a CSV file names, with the labels that it gives them.

    The first line names the columns. The image is in the column called by one of `FILE_COLUMNS`, or
    else in the first one; the label in one of `LABEL_COLUMNS`, or else in the second. An image is
    looked for beside the CSV file, in a folder called like it, and in ``train``; a name without the
    suffix of an image stands for the one file that has it. Columns end at commas, semicolons or tabs.

    The CSV file may be a URL (see `io.remote`). On a web server nothing is looked for, as it may not list its
    folders: names are written with their folder and suffix.

    Returns:
        The images, sorted by path, relative to the folder of the CSV file.

    Raises:
        UserError: the file cannot be read, has no header, or a line of it breaks a rule.
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
                f"dataset: {path}, line {line}: every image must be named once; {found} is also in line "
                f"{lines[found]}; remove one of the lines"
            )
        lines[found], labels[found] = line, label
    if missing:
        first = named(missing, _NAMED_IN_ERROR)
        if _is_on_web(path):
            raise UserError(
                f"dataset: {path} is on a web server and must name images with their suffixes; there is none in {first}"
                "; write it, or remove the lines"
            )
        raise UserError(
            f"dataset: {path} must name images that lie beside it, in {path.stem} or in train; not there are those "
            f"of {first}; move the images there, or remove the lines"
        )
    if not lines:
        raise UserError(f"dataset: {path} names no images; every line behind the first must have a name and a label")
    paths = sorted(lines)
    label_names, numbers = np.unique([labels[each] for each in paths], return_inverse=True)
    return ImageFolder(path.parent, paths, numbers.astype(np.int64), label_names.tolist())


def _remote_file(url: str) -> RemoteFile:
    folder, name = os.path.split(url)
    return RemoteFolder(folder) / name


def _is_on_web(path: Path | RemoteFile) -> bool:
    return isinstance(path, RemoteFile) and path.parent.is_web


def _open(path: Path | RemoteFile) -> TextIO:
    if isinstance(path, RemoteFile):
        return io.TextIOWrapper(io.BytesIO(path.read()), encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _entries(path: Path | RemoteFile, finder: "_Finder") -> Iterator[tuple[int, str, str]]:
    """Yield the number of every line, the name of its image and its label."""
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
                        "mend the line"
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
        raise UserError(f"dataset: {path} must be a CSV file in UTF-8; it is not ({error}); save it as one") from error


def _columns(header: list[str], path: Path | RemoteFile, finder: "_Finder") -> tuple[int, int]:
    """Return which columns hold names and labels, by the header."""
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
    """Finds images by what a CSV file calls them; each folder is listed once."""

    def __init__(self, path: Path | RemoteFile) -> None:
        self._path = path
        self._remote_names: dict[str, list[str]] | None = None
        self._folders = ("", path.stem, "train")
        self._listed: dict[str, dict[str, list[str]]] = {}

    def find(self, name: str, line: int) -> str | None:
        """Return the path of an image relative to the CSV file's folder, or None.

        Raises:
            UserError: the name leads out of the folder, or stands for several images.
        """
        windows = PureWindowsPath(name)
        if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts:
            raise UserError(
                f"dataset: {self._path}, line {line}: images must lie below the folder of the list; received {name}, "
                "which may lead out of it; write names relative to it, without .."
            )
        relative = PurePosixPath(name)
        if _is_on_web(self._path):
            return str(relative) if name.lower().endswith(EXTENSIONS) else None
        for folder in self._folders:
            place = os.path.join(folder, *relative.parts[:-1])
            found = self._list(place).get(relative.name, [])
            if len(found) > 1:
                raise UserError(
                    f"dataset: {self._path}, line {line}: every name must stand for one image; {name} stands for "
                    f"{' and '.join(found)} in {self._path.parent / place}; write it with its suffix"
                )
            if found:
                return os.path.join(place, found[0])
        return None

    def _list(self, place: str) -> dict[str, list[str]]:
        """Return the images of a folder by their names, and by their names without a suffix."""
        if place not in self._listed:
            files = self._files(place)
            images = [file for file in files if file.lower().endswith(EXTENSIONS)]
            names: dict[str, list[str]] = {}
            for file in images:
                names.setdefault(os.path.splitext(file)[0], []).append(file)
            self._listed[place] = names | {file: [file] for file in images}
        return self._listed[place]

    def _files(self, place: str) -> list[str]:
        if isinstance(self._path, RemoteFile):
            if self._remote_names is None:
                self._remote_names = {}
                for name in self._path.parent.names():
                    folder, file = os.path.split(name)
                    self._remote_names.setdefault(folder, []).append(file)
            return sorted(self._remote_names.get(place, []))
        try:
            return sorted(os.listdir(self._path.parent / place))
        except (OSError, ValueError):  # no such folder, or a name that no folder can have
            return []
