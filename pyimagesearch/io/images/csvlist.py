"""Read lists of labelled images from CSV files, in Kaggle's layout: ``labels.csv`` beside ``train/ID.jpg``."""

import csv
import io
import logging
import os
import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.csvcolumns import Columns, find_columns, known_columns, splits_of
from pyimagesearch.io.images.csvnames import Finder
from pyimagesearch.io.images.folder import ImageFolder, LabelFunction, groups_of, labelled, list_image_folder
from pyimagesearch.io.images.remotefolder import RemoteFile, RemoteFolder, is_remote
from pyimagesearch.io.images.walking import LeftOut
from pyimagesearch.utils.text import named

_NAMED_IN_ERROR = 5


def is_image_list(path: str | os.PathLike[str]) -> bool:
    """Return whether ``path`` names a CSV list of images, by its suffix."""
    return Path(path).suffix.lower() == ".csv"


def list_images(
    path: str | os.PathLike[str],
    label_of: LabelFunction,
    *,
    file_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    group_of: Callable[[str], Any] | None = None,
    keep_splits: bool = True,
    on_error: str = "fail",
    near_names: bool = False,
) -> ImageFolder:
    """List the images of a folder, or those that a CSV file names if ``path`` ends in ``.csv``; log what is left out.

    Args:
        path: folder, CSV file, or the URL of either.
        label_of: returns the class of a file for its path; unused for a CSV file, which holds the labels.
        file_column, label_column, split_column, group_column: columns of a CSV file; found by their names if None.
        group_of: returns the name of the group (a patient, a video) for a path, None or "" for an image alone.
        keep_splits: whether splits that folders or a column plainly give are kept.
        on_error: "fail" or "skip" lines of a CSV file whose images are missing.
        near_names: take the only image whose name differs in case, slashes, suffix or Unicode form from a line's.

    Raises:
        UserError: there is no such folder or file, or it does not give labelled images.
    """
    if is_image_list(path):
        given = {
            "file_column": file_column, "label_column": label_column, "split_column": split_column,
            "group_column": group_column,
        }  # fmt: skip
        images = list_image_csv(
            path, given, group_of=group_of, keep_splits=keep_splits, on_error=on_error, near_names=near_names
        )
    else:
        images = list_image_folder(path, label_of, group_of=group_of, keep_splits=keep_splits)
    log = logging.getLogger(__name__)
    level = logging.WARNING if images.left_out.emptied else logging.INFO  # a class may be gone
    for remark in images.left_out.remarks():
        log.log(level, remark)
    if images.splits:
        kept = ", ".join(f"{images.splits.count(name):,} {name}" for name in dict.fromkeys(images.splits))
        log.info(f"splits are kept as they are: {kept}; keep_splits=False draws them")
    return images


def list_image_csv(
    path: str | os.PathLike[str],
    given: Mapping[str, str | None] | None = None,
    *,
    group_of: Callable[[str], Any] | None = None,
    keep_splits: bool = True,
    on_error: str = "fail",
    near_names: bool = False,
) -> ImageFolder:
    """List the images that a CSV file names, with their labels.

    The first line names the columns; `find_columns` says which of them are taken. Each image is searched beside the CSV
    file, in the folder of the same name, and in ``train``; a name without an image suffix stands for the only file that
    has it. Commas, semicolons or tabs separate columns.

    The CSV file may be a URL (see `remotefolder`). A web server may not list its folders, so nothing is searched there:
    names need their folder and suffix.

    Args:
        given: names of columns, as `find_columns` takes them.
        group_of, keep_splits, on_error, near_names: as of `list_images`.

    Returns:
        The images, sorted by path, relative to the folder of the CSV file.

    Raises:
        UserError: the file cannot be read, has no header, or has an invalid line.
    """
    path = _remote_file(os.fspath(path)) if is_remote(path) else Path(path)
    finder = Finder(path)
    header, rows = _read(path)
    columns = _columns(path, header, rows, given or {}, finder, keep_splits)
    found: dict[str, int] = {}
    missing: dict[int, str] = {}
    for line, row in rows.items():
        _check_line(path, line, row, header, columns)
        name = row[columns.file].strip()
        _add(path, found, finder.find(name, line), line, missing, name)
    near = {line: [each for each in finder.near(name) if each not in found] for line, name in missing.items()}
    if near_names:
        for line, names in near.items():
            if len(names) == 1:
                _add(path, found, names[0], line, missing, missing.pop(line))
    if missing and (on_error != "skip" or not found):
        raise _missing_error(path, missing, near, finder)
    if not found:
        raise UserError(f"dataset: {path} names no images; every line after the first must have a name and a label")
    paths = sorted(found)
    chosen = [_padded(rows[found[each]], header) for each in paths]
    cells = {kind: [row[index].strip() for row in chosen] for kind, index in vars(columns).items() if index is not None}
    taken = {f"{kind}s": header[index].strip() for kind, index in vars(columns).items() if index is not None}
    splits = splits_of(path, taken["splits"], cells["split"]) if "split" in cells else ()
    groups = cells.get("group") or groups_of(path.parent, paths, group_of)
    return labelled(
        path.parent, paths, cells["label"], splits=splits, groups=groups, left_out=LeftOut(missing=missing),
        columns=taken,
    )  # fmt: skip


def _add(
    path: Path | RemoteFile, found: dict[str, int], image: str | None, line: int, missing: dict[int, str], name: str
) -> None:
    """Note the line of an image, or that its image is missing."""
    if image is None:
        missing[line] = name
        return
    if image in found:
        raise UserError(
            f"dataset: {path}, line {line}: every image must be listed once; {image} is also in line {found[image]}; "
            "remove one of them"
        )
    found[image] = line


def _missing_error(
    path: Path | RemoteFile, missing: dict[int, str], near: Mapping[int, list[str]], finder: Finder
) -> UserError:
    shown = [
        f"line {line} {name}" + (f" (there is {' and '.join(near[line][:2])})" if near[line] else "")
        for line, name in missing.items()
    ]
    first = named(shown, _NAMED_IN_ERROR)
    if finder.is_on_web:
        return UserError(
            f"dataset: {path} is on a web server and must name images with their suffixes; suffixes are missing "
            f"in {first}; add them, or remove the lines"
        )
    taken = ", take the only file that nearly fits with near_names=True" if any(map(len, near.values())) else ""
    return UserError(
        f"dataset: {path} must name images that lie beside it, in {path.stem} or in train; missing are those "
        f'of {first}; move the images there{taken}, or leave the lines out with on_error="skip"'
    )


def _remote_file(url: str) -> RemoteFile:
    folder, name = posixpath.split(url)
    return RemoteFolder(folder) / name


def _open(path: Path | RemoteFile) -> TextIO:
    if isinstance(path, RemoteFile):
        return io.TextIOWrapper(io.BytesIO(path.read()), encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _read(path: Path | RemoteFile) -> tuple[list[str], dict[int, list[str]]]:
    """Return the cells of the first line, and of every other one by its number, without blank lines."""
    try:
        with _open(path) as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count))
            header = next(reader, [])
            rows = ((reader.line_num, row) for row in reader)
            return header, {line: row for line, row in rows if any(map(str.strip, row))}
    except OSError as error:
        raise UserError(
            f"dataset: {path} cannot be read ({error.strerror}); pass a CSV file with a name and a label on every line"
        ) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"dataset: {path} must be a CSV file in UTF-8; it is not ({error}); save it as such") from error


def _columns(
    path: Path | RemoteFile,
    header: list[str],
    rows: Mapping[int, list[str]],
    given: Mapping[str, str | None],
    finder: Finder,
    keep_splits: bool,
) -> Columns:
    if len(header) < 2:
        raise UserError(
            f"dataset: {path}, line 1: must name the columns of images and labels, as in id,label; received "
            f"{','.join(header) or 'nothing'}; add such a line"
        )
    image = next((cell.strip() for cell in header if finder.names_image(cell)), None)
    if image is not None and not any(given.values()) and not known_columns(header):
        raise UserError(
            f"dataset: {path}, line 1: must name the columns, as in id,label; received the image {image}; add such a "
            "line before it"
        )
    padded = [_padded(row, header) for row in rows.values()]
    return find_columns(path, header, padded, given, finder.names_image, keep_splits)


def _padded(row: list[str], header: list[str]) -> list[str]:
    return row + [""] * (len(header) - len(row))


def _check_line(path: Path | RemoteFile, line: int, row: list[str], header: list[str], columns: Columns) -> None:
    if len(row) <= max(columns.file, columns.label):
        raise UserError(
            f"dataset: {path}, line {line}: must have {len(header)} columns; received {len(row)}; correct the line"
        )
    name, label = row[columns.file].strip(), row[columns.label].strip()
    if not name or not label:
        raise UserError(
            f"dataset: {path}, line {line}: must have a name and a label; received {name!r} and {label!r}; fill them "
            "in, or remove the line"
        )
