"""Files that hold every image as a dataset of its own."""

import re
from collections import defaultdict
from dataclasses import dataclass

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import inner_axes
from pyimagesearch.io.foreign.choices import UnrecognisedError
from pyimagesearch.io.foreign.color import interlace_mode
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing, parent
from pyimagesearch.io.foreign.pairing import label_count
from pyimagesearch.io.foreign.plan import LabelsPlan
from pyimagesearch.io.foreign.vocabulary import meaning_of, split_of

_LABEL_ATTRIBUTES = ("label", "class", "target", "y", "category", "labels")


@dataclass
class Members:
    """Images that are datasets of their own, in the order of the rows, and where their labels are."""

    group: str
    images: list[DatasetEntry]
    labels: LabelsPlan | None
    remarks: list[str]


def is_one_image(entry: DatasetEntry) -> bool:
    """Return whether a dataset is one image: an array of pixels, or the bytes of an image file."""
    if entry.problem:
        return False
    if entry.image_files:
        return entry.shape == () or (entry.numeric and len(entry.shape) == 1)
    if not entry.numeric or len(entry.shape) not in (2, 3) or min(entry.shape) < 1:
        return False
    try:
        inner_axes(entry.shape, entry.matlab, interlace_mode(entry.attributes))
    except UserError:
        return False
    return True


def find_members(listing: Listing, group: str | None = None) -> Members | None:
    """Return the images of a file that holds each as a dataset; None where it does not.

    Understood are what `find_samples` finds; a group for each class; and images in one group which have their label
    as an attribute, or beside them in one dataset of labels.

    Args:
        group: the group that holds the images, as the user told; by default any.
    """
    holders = _holders(listing, group)
    return find_samples(listing, group) or _by_class(holders) or _in_one_group(listing, holders)


def find_samples(listing: Listing, group: str | None = None) -> Members | None:
    """Return the images of a file that holds a group for each image, of the image and its label; or None."""
    images, labels, over = [], [], set()
    holders = _holders(listing, group)
    for holder in sorted(holders, key=natural):
        roles: dict[str, list[DatasetEntry]] = defaultdict(list)
        for entry in holders[holder]:
            meaning = meaning_of(entry.path.rpartition("/")[2])
            roles[meaning.role if meaning else ""].append(entry)
        one = [entry for entry in roles["images"] if is_one_image(entry)]
        label = [entry for entry in roles["labels"] if entry.size == 1 and (entry.numeric or entry.kind == "text")]
        if holder and len(one) == len(label) == 1:
            images += one
            labels += label
            over.add(parent(holder))
    if len(images) < 2 or len(over) != 1:
        return None
    return Members(over.pop(), images, LabelsPlan("datasets", members=tuple(entry.path for entry in labels)), [])


def _holders(listing: Listing, group: str | None) -> dict[str, list[DatasetEntry]]:
    """Return the datasets of each group, of those within ``group``."""
    holders: dict[str, list[DatasetEntry]] = defaultdict(list)
    for entry in listing.datasets:
        if group is None or entry.path.startswith(f"{group}/" if group else ""):
            holders[parent(entry.path)].append(entry)
    return holders


def natural(path: str) -> list[tuple[int, str]]:
    """Return a key that sorts "2" before "10"."""
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in re.findall(r"\d+|\D+", path)]


def _by_class(holders: dict[str, list[DatasetEntry]]) -> Members | None:
    above: dict[str, list[str]] = defaultdict(list)
    for holder, entries in holders.items():
        if holder and not split_of(holder.rpartition("/")[2]) and all(map(is_one_image, entries)):
            above[parent(holder)].append(holder)
    found = {over: sorted(classes, key=natural) for over, classes in above.items() if len(classes) > 1}
    train = [over for over in found if split_of(over.rpartition("/")[2]) == "train"]
    if len(found) != 1 and len(train) != 1:
        return None
    over = train[0] if train else next(iter(found))
    images: list[DatasetEntry] = []
    values: list[str] = []
    for group in found[over]:
        images += sorted(holders[group], key=lambda entry: natural(entry.path))
        values += [group.rpartition("/")[2]] * len(holders[group])
    remarks = [f"the images in {other} are left out; images='{other}' takes them" for other in found if other != over]
    return Members(over, images, LabelsPlan("groups", values=tuple(values)), remarks)


def _in_one_group(listing: Listing, holders: dict[str, list[DatasetEntry]]) -> Members | None:
    groups = {holder: [entry for entry in entries if is_one_image(entry)] for holder, entries in holders.items()}
    groups = {holder: sorted(own, key=lambda e: natural(e.path)) for holder, own in groups.items() if len(own) > 1}
    if len(groups) != 1:
        return None
    holder, images = next(iter(groups.items()))
    for name in _LABEL_ATTRIBUTES:
        if all(isinstance(entry.attributes.get(name), str | int | float) for entry in images):
            values = tuple(entry.attributes[name] for entry in images)
            return Members(holder, images, LabelsPlan("attributes", name, values=values), [])
    if not all(re.search(r"\d", entry.path.rpartition("/")[2]) for entry in images):
        return None
    beside = [
        entry
        for entry in listing.datasets
        if (meaning := meaning_of(entry.path)) and meaning.role == "labels" and label_count(entry) == len(images)
    ]
    if len(beside) > 1:
        raise UnrecognisedError(
            f"labels: must be one dataset; they may be {' or '.join(entry.path for entry in beside)}; tell labels",
            {"images": holder or "/", "labels": "KEY"},
        )
    labels = label_plan(beside[0]) if beside else None
    return Members(holder, images, labels, ["images are in the order of their numbers"])


def label_plan(entry: DatasetEntry, file: str = "") -> LabelsPlan:
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
