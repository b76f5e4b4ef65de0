"""Turns the list of a file's datasets, and what the user tells, into a plan of how to read it.

Nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.axes import Axes, find_axes, unfold
from pyimagesearch.io.foreign.choices import Choices
from pyimagesearch.io.foreign.color import colored, interlace_mode
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing
from pyimagesearch.io.foreign.identity import what_holds
from pyimagesearch.io.foreign.memberplan import plan_of_members
from pyimagesearch.io.foreign.members import find_members, find_samples, label_plan
from pyimagesearch.io.foreign.optional import find_names, find_paths
from pyimagesearch.io.foreign.pairing import Pair, find_pair, label_count
from pyimagesearch.io.foreign.plan import Plan
from pyimagesearch.io.foreign.refusals import uneven, unfinished, unrecognised
from pyimagesearch.io.foreign.told import find_told
from pyimagesearch.io.foreign.values import rule_of


def recognise(listing: Listing, choices: Choices | None = None, others: Mapping[str, Listing] | None = None) -> Plan:
    """Return the plan by which a file is read.

    Args:
        listing: what lies in it.
        choices: what the user tells; nothing by default.
        others: listings of the files that ``choices`` names besides, by these names.

    Raises:
        UnrecognisedError: it is not plain where images or labels are, or how they are stored; it lists what the file
            holds, and its ``suggestion`` has the arguments that are needed.
        UserError: an argument names nothing, or what it names cannot be read.
    """
    choices, others = choices or Choices(), others or {}
    if not choices.images and (what := what_holds(listing)):
        raise UserError(f"data set: {listing.file} must hold labelled images; it is {what}")
    told = find_told(listing, choices, others)
    if told is None:
        members = find_samples(listing)
        pair = None if members else find_pair(listing)
        members = members or (None if pair else find_members(listing))
    else:
        pair, members = told
    if pair is not None:
        plan = _plan_of_pair(listing, choices, pair)
    elif members is not None and members.labels is not None:
        plan = plan_of_members(listing, choices, members)
    else:
        raise unrecognised(listing, choices)
    plan = find_names(find_paths(plan, listing), listing, others)
    if choices.rows > len(plan):
        raise UserError(f"rows: must be at most the {len(plan):,} of {listing.file}; received {choices.rows:,}")
    if choices.rows:
        plan = replace(plan, shape=(choices.rows, *plan.shape[1:]), remarks=(*plan.remarks, _limited(plan)))
    return plan


def _limited(plan: Plan) -> str:
    return f"of {len(plan):,} rows, the first {plan.choices.rows:,} are used, as told"


def _plan_of_pair(listing: Listing, choices: Choices, pair: Pair) -> Plan:
    entry = pair.images
    for each in (entry, pair.labels):
        if each.problem:
            raise UserError(f"data set: every part of {listing.file} must be readable; {each.path} {each.problem}")
    labels, count = label_plan(pair.labels, choices.labels_file), label_count(pair.labels)
    stopped = unfinished(entry, choices.rows > 0) or unfinished(pair.labels, choices.rows > 0)
    if entry.image_files and not entry.numeric:
        if count != entry.size:
            raise uneven(pair.labels, entry.size)
        shape = (count, *(choices.size_sides or (0, 0)), 3)
        plan = Plan(listing.file, "files", entry.path, np.dtype(np.uint8), shape, labels)
        return replace(
            plan, color_order="BGR", color_source="decoded", choices=choices, unfinished=stopped,
            rule=rule_of(plan.dtype, Choices(), None), remarks=tuple(pair.remarks),
        )  # fmt: skip
    axes = _axes(entry, choices, count)
    shape = axes.shape(entry.shape)
    if shape[0] != count:
        raise uneven(pair.labels, shape[0])
    if 0 in shape:
        raise UserError(f"data set: {listing.file} must hold rows; {entry} has none")
    plan = Plan(listing.file, "array", entry.path, np.dtype(entry.dtype), shape, labels, axes)
    plan = replace(
        plan,
        choices=choices,
        unfinished=stopped,
        storage=_storage(entry, axes),
        remarks=(*pair.remarks, *_flat_remark(entry, shape)),
    )
    if not plan.is_images:
        if choices.scale or choices.color_order:
            raise UserError(f"scale, color_order: are for images; rows of {entry} are vectors; shape may unfold them")
        return plan
    rule = rule_of(plan.dtype, choices, None)
    return colored(replace(plan, rule=rule), listing.attributes_of(entry))


def _storage(entry: DatasetEntry, axes: Axes) -> str:
    if entry.chunks is None:
        return "contiguous" + (", memory-mapped" if axes.is_plain else "")
    packed = [name for name in entry.filters if name not in ("shuffle", "fletcher32")]
    whole = all(
        chunk >= side
        for letter, chunk, side in zip(axes.letters, entry.chunks, entry.shape, strict=True)
        if letter != "n"
    )
    return (
        f"chunks of {'x'.join(map(str, entry.chunks))}" + ("" if whole else ", rows spread over several")
        + (f", compressed by {' and '.join(packed)}" if packed else "")
    )  # fmt: skip


def _axes(entry: DatasetEntry, choices: Choices, count: int) -> Axes:
    if choices.axes:
        if len(choices.axes) != len(entry.shape):
            raise UserError(f"axes: must name every axis of {entry}; received {choices.axes}")
        letters = choices.axes
    else:
        letters = find_axes(entry.shape, count, entry.matlab, interlace_mode(entry.attributes))
    axes = Axes(letters)
    if not choices.shape:
        return axes
    sides = choices.shape_sides
    if "d" not in letters:
        raise UserError(f"shape: is for flattened rows; received {choices.shape}, and {entry} has axes of its own")
    values = axes.shape(entry.shape)[1]
    if int(np.prod(sides)) != values:
        raise UserError(f"shape: must multiply to the {values:,} values of a row of {entry}; received {choices.shape}")
    return Axes(letters, unfold(sides))


def _flat_remark(entry: DatasetEntry, shape: tuple[int, ...]) -> tuple[str, ...]:
    if len(shape) != 2 or entry.dtype != "uint8":
        return ()
    likely = [f"{side}x{side}x{c}" for c in (3, 1) if (side := round((shape[1] / c) ** 0.5)) ** 2 * c == shape[1]]
    unfolded = f"; shape='{likely[0]}' unfolds them to images" if likely else ""
    return (f"rows of {entry.path} are flat, and stay vectors of {entry.dtype}{unfolded}",)
