"""Reads class numbers, names of classes and origins of rows by a plan."""

from dataclasses import dataclass

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.damage import damage_named
from pyimagesearch.io.foreign.links import find_dataset
from pyimagesearch.io.foreign.listing import decoded, open_foreign
from pyimagesearch.io.foreign.plan import Plan
from pyimagesearch.utils.text import printable

_MOST_CLASSES = 2**20
_ROWS_AT_ONCE = 2**16


@dataclass(frozen=True)
class Labels:
    """The classes of all rows.

    Attributes:
        numbers: int64 ndarray of shape (n,).
        names: names of the classes 0 to k - 1, all different; an empty list where the file has none.
        remarks: what was changed or is missing, as sentences.
    """

    numbers: np.ndarray
    names: list[str]
    remarks: tuple[str, ...] = ()


def read_labels(plan: Plan) -> Labels:
    """Read the labels and the names of the classes.

    Raises:
        UserError: labels are no class numbers, no one-hot rows and no text; or the file is unfinished.
    """
    plan.require_finished()
    remarks: list[str] = []
    names = _read_names(plan, remarks)
    raw = _raw(plan)[: len(plan)]
    if len(raw) != len(plan):
        raise UserError(f"labels: must be one for each of the {len(plan):,} rows; there are {len(raw):,}")
    if raw.dtype.kind in "OSU":
        numbers, names = _of_text([decoded(text).rstrip("\0") for text in raw.tolist()], names, remarks)
    else:
        numbers = _of_numbers(raw, len(names), plan.labels.reverse, remarks)
        if plan.labels.form == "boolean" and not names:
            names = ["False", "True"]
    return Labels(numbers, _complete_names(names, numbers, remarks), tuple(remarks))


def read_paths(plan: Plan) -> list[str]:
    """Return the origin of each row, or an empty list where the plan knows of none."""
    if plan.form == "each":
        return [printable(path) for path in plan.members[: len(plan)]]
    if not plan.paths:
        return []
    with open_foreign(plan.file) as file, damage_named(plan.file, "paths"):
        stored = np.asarray(find_dataset(file, plan.paths)[()]).reshape(-1)
    return [decoded(path).rstrip("\0") for path in stored[: len(plan)].tolist()]


def _raw(plan: Plan) -> np.ndarray:
    """Return what is stored for each row: a number, or text."""
    labels = plan.labels
    if labels.form in ("groups", "attributes"):
        return np.array(labels.values, object if any(isinstance(v, str) for v in labels.values) else None)
    with open_foreign(labels.file or plan.file) as file, damage_named(labels.file or plan.file, "labels"):
        if labels.form == "datasets":
            values = [np.asarray(find_dataset(file, path)[()]).reshape(-1)[0] for path in labels.members]
            return np.array(values, object if any(isinstance(v, bytes | str) for v in values) else None)
        dataset = find_dataset(file, labels.path)
        if labels.form == "one-hot":
            return _from_one_hot(dataset, labels.reverse)
        return np.asarray(dataset[: len(plan)] if dataset.ndim == 1 else dataset[()]).reshape(-1)


def _from_one_hot(dataset: h5py.Dataset, reverse: bool) -> np.ndarray:
    count = dataset.shape[-1] if reverse else dataset.shape[0]
    numbers = np.empty(count, np.int64)
    for start in range(0, count, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, count)
        block = dataset[:, start:stop].T if reverse else dataset[start:stop]
        good = ((block == 0) | (block == 1)).all(axis=1) & (block.sum(axis=1) == 1)
        if not good.all():
            bad = int(np.flatnonzero(~good)[0])
            raise UserError(
                f"labels: must be one-hot, a single 1 in a row of zeros; row {start + bad} of {dataset.name} has "
                f"{np.array2string(block[bad], threshold=8)}; labels of several classes or probabilities are no classes"
            )
        numbers[start:stop] = block.argmax(axis=1)
    return numbers


def _of_numbers(raw: np.ndarray, names: int, matlab: bool, remarks: list[str]) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        numbers = raw.astype(np.int64)
    wrong = np.flatnonzero((numbers != raw) | (numbers >= _MOST_CLASSES))
    if not len(wrong) and len(raw) and set(np.unique(numbers).tolist()) == {-1, 1}:
        remarks.append("labels are -1 and 1, which become the classes 0 and 1")
        return (numbers > 0).astype(np.int64)
    wrong = np.concatenate([wrong, np.flatnonzero(numbers < 0)])
    if len(wrong):
        row = int(wrong.min())
        raise UserError(
            f"labels: must be class numbers, whole and from 0 to {_MOST_CLASSES - 1:,}; received dtype {raw.dtype}, "
            f"row {row} has {raw[row]}"
        )
    low, high = int(numbers.min(initial=0 if not len(numbers) else _MOST_CLASSES)), int(numbers.max(initial=0))
    if low == 1 and (matlab or high == names):
        remarks.append(f"labels count from 1 to {high}; they become the classes 0 to {high - 1}")
        return numbers - 1
    if low > 0:
        remarks.append(f"no row is of a class below {low}")
    return numbers


def _of_text(texts: list[str], names: list[str], remarks: list[str]) -> tuple[np.ndarray, list[str]]:
    found = sorted(set(texts))
    if names and not set(found) <= set(names):
        remarks.append("the names of classes are left out, since labels are text of other names")
    order = names if names and set(found) <= set(names) else found
    number = {name: i for i, name in reversed(list(enumerate(order)))}
    return np.array([number[text] for text in texts], np.int64), order


def _read_names(plan: Plan, remarks: list[str]) -> list[str]:
    if not plan.names:
        return []
    with open_foreign(plan.names_file or plan.file) as file, damage_named(plan.names_file or plan.file, "names"):
        dataset = find_dataset(file, plan.names)
        values = np.asarray(dataset[()]).reshape(-1).tolist()
        if h5py.check_ref_dtype(dataset.dtype) is not None:  # a cell array of MATLAB's
            values = ["".join(map(chr, np.asarray(file[ref][()]).reshape(-1).tolist())) for ref in values]
    if any(isinstance(value, bytes) and decoded(value).encode() != value for value in values):
        remarks.append("names of classes are read as Latin-1, since they are no UTF-8")
    return [f"{value:g}" if isinstance(value, float) else decoded(value).rstrip("\0") for value in values]


def _complete_names(names: list[str], numbers: np.ndarray, remarks: list[str]) -> list[str]:
    """Return names that are all different and reach the highest class, if there are any."""
    count = int(numbers.max(initial=-1)) + 1
    if names and len(names) < count:
        remarks.append(f"{len(names)} names for {count:,} classes: the others are named by their numbers")
        names = names + [str(number) for number in range(len(names), count)]
    seen: dict[str, int] = {}
    result = []
    for number, name in enumerate(names):
        if name in seen:
            again = f"{name} ({number})"
            remarks.append(f"classes {seen[name]} and {number} are both named {name}; {number} becomes {again}")
            name = again
        seen.setdefault(name, number)
        result.append(name)
    return result
