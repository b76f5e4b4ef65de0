"""Find and plan the images of files that hold every image as a dataset of its own."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.io.foreign.axes import inner_axes
from pyimagesearch.io.foreign.labels import labels_of
from pyimagesearch.io.foreign.layouts import label_count, meaning_of, split_of
from pyimagesearch.io.foreign.listing import DatasetEntry, Listing, parent
from pyimagesearch.io.foreign.pixels import interlace_mode, rule_of
from pyimagesearch.io.foreign.plan import Choices, LabelsPlan, Plan, colored, unfinished

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
            f"labels: must be one dataset; they may be {' or '.join(entry.path for entry in beside)}; tell which",
            {"images": holder or "/", "labels": "KEY"},
        )
    labels = labels_of(beside[0]) if beside else None
    return Members(holder, images, labels, ["images are in the order of their numbers"])


def plan_of_members(listing: Listing, choices: Choices, members: Members) -> Plan:
    """Return the plan for images that `find_members` found, and whose labels are known.

    Raises:
        UnrecognisedError: they have several sizes, and none was told.
        UserError: they cannot be rows of one data set.
    """
    assert members.labels is not None
    entries, count = members.images, len(members.images)
    files = [entry for entry in entries if entry.image_files]
    remarks = list(members.remarks)
    if not listing.complete:
        raise UserError(
            f"data set: {listing.file} holds more than the {len(listing.datasets):,} datasets that are listed at most; "
            "store its images in one dataset"
        )
    if files and len(files) != count:
        raise UserError(f"images: must be all arrays or all image files; {len(files)} of {count} are files")
    dtypes = {entry.dtype for entry in entries}
    if len(dtypes) > 1:
        raise UserError(f"images: must have one dtype; those of {listing.file} have {', '.join(sorted(dtypes))}")
    if files:
        shape = (count, *(choices.size_sides or (0, 0)), 3)
    else:
        shapes = {_image_shape(entry) for entry in entries}
        sizes = sorted({side[:2] for side in shapes})
        if len(sizes) > 1 and not choices.size:
            first, last = ("x".join(map(str, size)) for size in (sizes[0], sizes[-1]))
            raise UnrecognisedError(
                f"size: images must have one height and width; those of {listing.file} are from {first} to {last}",
                {"size": "256x256"},
            )
        channels = {side[2] for side in shapes}
        if len(channels) > 1:
            if 4 in channels:
                raise UserError(f"images: must all have 1 or 3 channels; those of {listing.file} have {channels}")
            remarks.append("gray images get three equal channels, as others have three")
        shape = (count, *(choices.size_sides or sizes[0]), max(channels))
    plan = Plan(
        listing.file, "each", members.group, np.dtype(np.uint8) if files else np.dtype(entries[0].dtype), shape,
        members.labels, members=tuple(entry.path for entry in entries), choices=choices,
        unfinished=next(filter(None, map(unfinished, entries)), ""), remarks=tuple(remarks),
    )  # fmt: skip
    if files:
        rule = rule_of(plan.dtype)
        return replace(plan, color_order="BGR", color_source="decoded", rule=rule)
    return colored(replace(plan, rule=rule_of(plan.dtype, choices.scale)), listing.attributes_of(entries[0]))


def _image_shape(entry: DatasetEntry) -> tuple[int, int, int]:
    letters = inner_axes(entry.shape, entry.matlab, interlace_mode(entry.attributes))
    sides = dict(zip(letters, entry.shape, strict=True))
    return sides["h"], sides["w"], sides.get("c", 1)
