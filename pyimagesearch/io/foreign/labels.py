"""Find and read the labels of rows, the names of classes and the origins of rows.

What is optional and cannot be understood is left out with a remark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import h5py
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.layouts import Key, meanings
from pyimagesearch.io.foreign.listing import DatasetEntry, Listing, decoded
from pyimagesearch.io.foreign.opening import damage_named, find_dataset, open_foreign
from pyimagesearch.io.foreign.plan import LabelsPlan, Plan, split_reference
from pyimagesearch.utils.text import printable

_MOST_CLASSES = _MOST_NAMES = 2**20
_BYTES_AT_ONCE = 2**24


def labels_of(entry: DatasetEntry, file: str = "") -> LabelsPlan:
    """Return where labels are that one dataset holds, and in which form."""
    sides = entry.shape[::-1] if entry.matlab else entry.shape
    form = "numbers"
    if entry.kind == "text":
        form = "text"
    elif len(sides) == 2 and 1 not in sides:
        form = "one-hot"
    elif entry.kind == "b":
        form = "boolean"
    elif len(entry.shape) == 2:
        form = "column" if entry.shape[1] == 1 else "row"
    return LabelsPlan(form, entry.path, file, entry.matlab)


def find_names(plan: Plan, listing: Listing, others: Mapping[str, Listing]) -> Plan:
    """Return a plan that knows where the names of the classes are.

    Raises:
        UserError: the names that the user told are none.
    """
    if plan.choices.names:
        file, path = split_reference(plan.choices.names)
        where = others.get(file) if file else listing
        entry = where.get(path) if where else None
        if entry is None or _why_no_names(entry):
            raise UserError(f"names: must be a dataset of names; received {plan.choices.names} ({entry or 'nothing'})")
        return replace(plan, names=path, names_file=file)
    found = _of_role(listing, plan, "names")
    found += [entry for entry in _of_role(listing, plan, "labels") if entry.kind == "text" and not _fits(entry, plan)]
    if not found:
        return plan
    if len(found) > 1:
        listed = " and ".join(entry.path for entry in found)
        return _left_out(plan, f"names of classes are left out, since {listed} may both be them; names tells which")
    if why := _why_no_names(found[0]):
        return _left_out(plan, f"the names of classes in {found[0].path} are left out: it {why}")
    return replace(plan, names=found[0].path)


def find_paths(plan: Plan, listing: Listing) -> Plan:
    """Return a plan that knows where the origins of the rows are.

    Raises:
        UserError: the paths that the user told are none.
    """
    if plan.choices.paths:
        entry = listing.get(plan.choices.paths)
        why = _why_no_paths(entry, plan) if entry else "does not exist"
        if why:
            raise UserError(f"paths: must be a dataset of one text a row; {plan.choices.paths} {why}")
        return replace(plan, paths=plan.choices.paths.strip("/"))
    found = _of_role(listing, plan, "paths")
    if len(found) != 1:
        return _left_out(plan, f"{len(found)} datasets that may be paths are left out") if found else plan
    if why := _why_no_paths(found[0], plan):
        return _left_out(plan, f"the paths in {found[0].path} are left out: it {why}")
    return replace(plan, paths=found[0].path)


def _of_role(listing: Listing, plan: Plan, role: str) -> list[DatasetEntry]:
    """Return the datasets of a role that are nearest to the images: same split, then none, then at the root."""
    known = meanings(listing)
    images = known.get(plan.images)
    own: Key = (images.place, images.split) if images else ("", "")
    for key in dict.fromkeys([own, (own[0], ""), ("", own[1]), ("", "")]):
        found = [
            entry
            for path, meaning in known.items()
            if meaning.role == role and (meaning.place, meaning.split) == key
            and path not in (plan.images, plan.labels.path) and (entry := listing.get(path)) is not None
        ]  # fmt: skip
        if found:
            return found
    return []


def _fits(entry: DatasetEntry, plan: Plan) -> bool:
    return entry.size == len(plan)


def _why_no_names(entry: DatasetEntry) -> str:
    if entry.problem:
        return entry.problem
    if entry.kind not in ("text", "u", "i", "f", "reference") or entry.image_files:
        return f"holds {entry.dtype}"
    if entry.size != max(entry.shape, default=1) or entry.size > _MOST_NAMES:
        return f"has shape {entry.shape}"
    return "was never written" if entry.empty else ""


def _why_no_paths(entry: DatasetEntry, plan: Plan) -> str:
    if entry.problem:
        return entry.problem
    if entry.kind not in ("text", "u", "i") or entry.image_files:
        return f"holds {entry.dtype}"
    if entry.size != len(plan) or entry.size != max(entry.shape, default=1):
        return f"has shape {entry.shape}, and there are {len(plan):,} rows"
    return ""


def _left_out(plan: Plan, remark: str) -> Plan:
    return replace(plan, remarks=(*plan.remarks, remark))


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
            return _from_one_hot(dataset, labels.reverse, len(plan))
        return np.asarray(dataset[: len(plan)] if dataset.ndim == 1 else dataset[()]).reshape(-1)


def _from_one_hot(dataset: h5py.Dataset, reverse: bool, rows: int) -> np.ndarray:
    count = min(rows, dataset.shape[-1] if reverse else dataset.shape[0])
    classes = dataset.shape[0] if reverse else dataset.shape[-1]
    numbers, step = np.empty(count, np.int64), max(1, _BYTES_AT_ONCE // (classes * dataset.dtype.itemsize))
    for start in range(0, count, step):
        stop = min(start + step, count)
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
