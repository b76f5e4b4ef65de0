"""Find the columns of a CSV list of images: files, labels, splits and groups."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.folder import SPLITS, known_splits
from pyimagesearch.utils.text import named

FILE_COLUMNS = (
    "id", "image", "image_id", "image_name", "image_path", "image_file", "img", "img_name", "img_path", "file",
    "filename", "file_name", "filepath", "file_path", "path",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "classes", "breed", "category", "class_id", "classid", "class_name", "classname",
    "label_name", "target", "species",
)  # fmt: skip
GROUP_COLUMNS = (
    "patient", "patient_id", "subject", "subject_id", "person_id", "lesion_id", "study_id", "video", "video_id",
    "burst", "burst_id", "sequence_id", "group", "group_id",
)  # fmt: skip

_INDEX_COLUMNS = ("", "unnamed:_0", "index")
_TRIED = 20  # lines that tell what a column holds
_NAMED = 5
_FLAGS = {"0", "1", "0.0", "1.0"}

Row = Sequence[str]


@dataclass(frozen=True)
class Columns:
    """Indices of the columns of a CSV list; None for those that it lacks."""

    file: int
    label: int
    split: int | None = None
    group: int | None = None


def find_columns(
    path: object,
    header: Row,
    rows: Sequence[Row],
    given: Mapping[str, str | None],
    is_image: Callable[[str], bool],
    keep_splits: bool = True,
) -> Columns:
    """Find out which column holds what: as given, by the only known name, or by what is left.

    Args:
        path: the list, for messages.
        header: names of the columns.
        rows: all other lines, as long as the header.
        given: names of columns by "file_column", "label_column", "split_column" and "group_column".
        is_image: whether a cell names an image.
        keep_splits: whether a column of nothing but "train", "val" and "test" (see `SPLITS`) is taken unasked.

    Raises:
        UserError: a column given does not exist, or nothing says which one holds files or labels.
    """
    names = _normal(header)
    shown = ", ".join(name.strip() or '""' for name in header)
    chosen = {kind: _given(path, header, names, kind, name) for kind, name in given.items() if name is not None}
    group, taken = chosen.get("group_column"), set(chosen.values())

    file = chosen.get("file_column")
    if file is None:
        file = _file_column(names, rows, is_image, taken)
    if file is None:
        raise UserError(
            f"file_column: {path} has the columns {shown}, none of which is called {', '.join(FILE_COLUMNS)} or holds "
            'names of images that are there; name it with file_column="NAME", and that of labels with '
            'label_column="NAME"'
        )
    taken.add(file)
    known = [index for index, name in enumerate(names) if name in LABEL_COLUMNS and index not in taken]
    split = chosen.get("split_column")
    if split is None and keep_splits:
        others = (index for index in range(len(names)) if index not in {*taken, *known})
        split = next((index for index in others if known_splits([row[index] for row in rows])), None)
    label = chosen.get("label_column")
    if label is None:
        left = [
            index for index, name in enumerate(names)
            if index not in {*taken, split} and name not in {*_INDEX_COLUMNS, *GROUP_COLUMNS}
        ]  # fmt: skip
        candidates = known or left
        if len(candidates) != 1:
            where = f"{' and '.join(header[i].strip() for i in known)} may both hold labels" if known else (
                f"none of which is called {', '.join(LABEL_COLUMNS)}"
            )  # fmt: skip
            raise UserError(
                f"label_column: {path} has the columns {shown}; {where}{_one_hot(header, rows, left)}; name that of "
                f'labels with label_column="NAME", and that of images with file_column="NAME" unless it is '
                f"{header[file].strip()}"
            )
        label = candidates[0]
    found = Columns(file, label, split, group)
    _say(path, header, names, found)
    return found


def known_columns(header: Row) -> list[str]:
    """Return the names of columns that are known to hold images or labels."""
    return [name for name in _normal(header) if name in {*FILE_COLUMNS, *LABEL_COLUMNS}]


def _normal(header: Row) -> list[str]:
    return [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]


def _given(path: object, header: Row, names: Row, kind: str, name: str) -> int:
    for columns in (header, names):
        for index, column in enumerate(columns):
            if column.strip() == name:
                return index
    raise UserError(
        f"{kind}: must be a column of {path}, which has {', '.join(map(str.strip, header))}; received {name!r}"
    )


def _file_column(names: Row, rows: Sequence[Row], is_image: Callable[[str], bool], taken: set[int]) -> int | None:
    """Return the column of files: the known one whose images are there, or the only one of names of images."""
    free = [i for i, name in enumerate(names) if i not in taken and name not in _INDEX_COLUMNS]
    known = [index for index in free if names[index] in FILE_COLUMNS]
    if len(known) == 1:
        return known[0]
    cells = {index: [row[index].strip() for row in rows[:_TRIED]] for index in known or free}
    for index, tried in cells.items():
        if tried and (any if known else all)(map(is_image, tried)):
            return index
    return known[0] if known else None


def _one_hot(header: Row, rows: Sequence[Row], left: Sequence[int]) -> str:
    flags = [i for i in left if {row[i].strip() for row in rows} <= _FLAGS]
    if len(flags) < 2 or not rows:
        return ""
    shown = f"{named([header[i].strip() for i in flags], _NAMED)} hold nothing but 0 and 1"
    if any(sum(float(row[i]) for i in flags) > 1 for row in rows):
        return f" ({shown}, with several 1 on a line: images have one class each here, so leave such lines out)"
    return f" ({shown}: write the names of classes into one column instead)"


def _say(path: object, header: Row, names: Row, found: Columns) -> None:
    log = logging.getLogger(__name__)
    kinds = {"images": found.file, "labels": found.label, "splits": found.split, "groups": found.group}
    log.info(f"{path}: " + ", ".join(f"{kind} from {header[i].strip()}" for kind, i in kinds.items() if i is not None))
    offered = [i for i, name in enumerate(names) if name in GROUP_COLUMNS and i not in (found.file, found.label)]
    if found.group is None and offered:
        name = header[offered[0]].strip()
        log.info(f'{path}: images of one {name} may come into several splits; group_column="{name}" keeps them in one')


def splits_of(path: object, column: str, cells: Sequence[str]) -> list[str]:
    """Return "train", "val" or "test" for the cells of a column of splits.

    Raises:
        UserError: a cell holds something else.
    """
    wrong = sorted({cell for cell in cells if cell.strip().lower() not in SPLITS})
    if wrong:
        raise UserError(
            f"split_column: must hold {', '.join(SPLITS)} on every line; {column} of {path} also holds "
            f"{', '.join(map(repr, wrong[:3]))}; name another column, or leave it out"
        )
    return [SPLITS[cell.strip().lower()] for cell in cells]
