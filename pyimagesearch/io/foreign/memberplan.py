"""Plans the reading of files that hold every image as a dataset of its own."""

from dataclasses import replace

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import inner_axes
from pyimagesearch.io.foreign.choices import Choices, UnrecognisedError
from pyimagesearch.io.foreign.color import colored, interlace_mode
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing
from pyimagesearch.io.foreign.members import Members
from pyimagesearch.io.foreign.plan import Plan
from pyimagesearch.io.foreign.refusals import unfinished
from pyimagesearch.io.foreign.values import rule_of


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
                f"size: images must have one height and width; those of {listing.file} are from {first} to {last}; "
                "tell size to resize them",
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
        rule = rule_of(plan.dtype, Choices(), None)
        return replace(plan, color_order="BGR", color_source="decoded", rule=rule)
    return colored(replace(plan, rule=rule_of(plan.dtype, choices, None)), listing.attributes_of(entries[0]))


def _image_shape(entry: DatasetEntry) -> tuple[int, int, int]:
    letters = inner_axes(entry.shape, entry.matlab, interlace_mode(entry.attributes))
    sides = dict(zip(letters, entry.shape, strict=True))
    return sides["h"], sides["w"], sides.get("c", 1)
