"""Turn the list of a file's datasets, and what the user tells, into a plan of how to read it.

`recognise` reads no file; `plan_file` lists the file first, and looks at a few rows afterwards.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.io.foreign.axes import Axes, find_axes, unfold
from pyimagesearch.io.foreign.labels import find_names, find_paths, labels_of
from pyimagesearch.io.foreign.layouts import KEY, Pair, can_be_images, find_pair, has_rows, label_count, meanings
from pyimagesearch.io.foreign.listing import DatasetEntry, Listing, contents, read_listing
from pyimagesearch.io.foreign.members import Members, find_members, find_samples, plan_of_members
from pyimagesearch.io.foreign.opening import damage_named, open_foreign, require_hdf5
from pyimagesearch.io.foreign.pixels import interlace_mode, rule_of
from pyimagesearch.io.foreign.plan import Choices, Plan, colored, split_reference, unfinished
from pyimagesearch.io.foreign.rows import look

_KERAS_ATTRIBUTES = {"layer_names", "model_config", "keras_version"}
_KERAS_GROUPS = {"model_weights", "_layer_checkpoint_dependencies", "optimizer_weights"}


def plan_file(path: str | os.PathLike[str], choices: Choices | None = None, *, ask: bool = True) -> Plan:
    """Return how a file of another program is read; a few rows are looked at.

    Args:
        path: the file.
        choices: what the user tells; nothing by default.
        ask: whether values that need a scale are refused; otherwise a remark says so, and the plan has no rule for
            them, so that it describes the file but does not read it.

    Raises:
        UnrecognisedError: something is not plain, and can be told.
        UserError: the file is no data set, or cannot be read.
    """
    plan = plan_structure(path, choices)
    if plan.unfinished or (plan.rule and all(plan.shape) and plan.color_source != "book") or not plan.is_images:
        return plan
    with open_foreign(path) as file, damage_named(plan.file, f"rows of {plan.images or 'the images'}"):
        seen = look(file, plan)
    plan = plan.settle(seen)
    try:
        return plan.ruled(seen)
    except UnrecognisedError as error:
        if ask:
            raise
        return replace(plan, remarks=(*plan.remarks, str(error)))


def plan_structure(
    path: str | os.PathLike[str], choices: Choices | None = None, alive: Callable[[], None] = lambda: None
) -> Plan:
    """Return how a file is read as far as its structure tells; no row is looked at.

    Args:
        alive: called again and again meanwhile.

    Raises:
        UserError: as of `plan_file`.
    """
    choices = choices or Choices()
    others = {name: _list(name, alive) for name in {choices.labels_file, choices.names_file} - {""}}
    return recognise(_list(path, alive), choices, others)


def _list(path: str | os.PathLike[str], alive: Callable[[], None]) -> Listing:
    require_hdf5(path)
    with open_foreign(path) as file, damage_named(os.fspath(path), "the structure"):
        return read_listing(file, alive=alive)


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
    if not choices.images and (what := _what_holds(listing)):
        raise UserError(f"data set: {listing.file} must hold labelled images; it is {what}")
    told = _find_told(listing, choices, others)
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
        raise _unrecognised(listing, choices)
    plan = find_names(find_paths(plan, listing), listing, others)
    if isinstance(recipe := listing.attributes.get("recipe"), str):
        plan = replace(plan, recipe=recipe)
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
    labels, count = labels_of(pair.labels, choices.labels_file), label_count(pair.labels)
    stopped = unfinished(entry, choices.rows > 0) or unfinished(pair.labels, choices.rows > 0)
    if entry.image_files and not entry.numeric:
        if count != entry.size:
            raise _uneven(pair.labels, entry.size)
        shape = (count, *(choices.size_sides or (0, 0)), 3)
        plan = Plan(listing.file, "files", entry.path, np.dtype(np.uint8), shape, labels)
        return replace(
            plan, color_order="BGR", color_source="decoded", choices=choices, unfinished=stopped,
            rule=rule_of(plan.dtype), remarks=tuple(pair.remarks),
        )  # fmt: skip
    if not choices.axes and not has_rows(entry, count):
        raise UnrecognisedError(
            f"labels: must be one for each image; {pair.labels} and {entry} are not; {listing.file} holds "
            f"{contents(listing.datasets)}",
            {"images": KEY, "labels": KEY},
        )
    axes = _axes(entry, choices, count)
    shape = axes.shape(entry.shape)
    if shape[0] != count:
        raise _uneven(pair.labels, shape[0])
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
    rule = rule_of(plan.dtype, choices.scale)
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


def _find_told(
    listing: Listing, choices: Choices, others: Mapping[str, Listing]
) -> tuple[Pair | None, Members | None] | None:
    """Return what the user's choices name; None where they name neither images nor labels."""
    if not choices.images and not choices.labels:
        return None
    labels = _named("labels", choices.labels, listing, others) if choices.labels else None
    group = choices.images.strip("/")
    if choices.images and listing.get(group) is None and (group in listing.groups or not group):
        members = find_members(listing, group)
        if members is None:
            raise _unrecognised(listing, choices)
        if labels is not None:
            if label_count(labels) != len(members.images):
                raise _uneven(labels, len(members.images))
            members.labels = labels_of(labels, choices.labels_file)
        return None, members
    if choices.images:
        images = _named("images", choices.images, listing, others)
        if not can_be_images(images):
            raise UserError(f"images: must be a dataset of images or vectors; {images} is not")
    else:
        images = _beside(listing, choices, labels, "images")
    labels = labels or _beside(listing, choices, images, "labels")
    if not labels.problem and label_count(labels) < 0:
        raise UserError(f"labels: must be numbers or text, one for each row, or one-hot; received {labels}")
    meaning = meanings(listing).get(images.path)
    return Pair(images, labels, (meaning.place, meaning.split) if meaning else ("", ""), []), None


def _unrecognised(listing: Listing, choices: Choices) -> UnrecognisedError:
    """Say what the file holds; where only one dataset can be the images or the labels, suggest it."""
    images = [entry.path for entry in listing.datasets if can_be_images(entry) and not entry.problem]
    arrays = [path for path in images if len((listing.get(path) or listing.datasets[0]).shape) > 2]
    image = choices.images or ((arrays or images or [KEY])[0] if len(arrays or images) == 1 else KEY)
    entry = listing.get(image)
    labels = [
        other.path
        for other in listing.datasets
        if other is not entry and label_count(other) >= 2
        and (entry is None or has_rows(entry, label_count(other)))
    ]  # fmt: skip
    label = choices.labels or (labels[0] if len(labels) == 1 else KEY)
    return UnrecognisedError(
        f"data set: which datasets of {listing.file} are the images and the labels must be told by images and labels; "
        f"it holds {contents(listing.datasets)}{'' if listing.complete else '; and more'}",
        {"images": image, "labels": label},
    )


def _named(argument: str, text: str, listing: Listing, others: Mapping[str, Listing]) -> DatasetEntry:
    """Return the dataset that the user names by "KEY", or by "FILE::KEY" in one of ``others``.

    Raises:
        UserError: there is none.
    """
    file, path = split_reference(text)
    where = others.get(file) if file else listing
    if where is None:
        raise UserError(f"{argument}: must name a file that was listed; received {text}")
    entry = where.get(path)
    if entry is None:
        raise UserError(
            f"{argument}: must be the path of a dataset of {where.file}; received {path}; it holds "
            f"{contents(where.datasets)}"
        )
    return entry


def _beside(listing: Listing, choices: Choices, partner: DatasetEntry | None, role: str) -> DatasetEntry:
    """Return the one dataset of a role, "images" or "labels", that goes with the one which the user told.

    Raises:
        UnrecognisedError: there is none, or there are several.
    """
    known = meanings(listing)
    own = known.get(partner.path) if partner else None
    found = []
    for path, meaning in known.items():
        entry = listing.get(path)
        if entry is None or meaning.role != role or entry is partner:
            continue
        if can_be_images(entry) if role == "images" else label_count(entry) >= 0:
            found.append((entry, meaning))
    near = [entry for entry, meaning in found if own and (own.place, own.split) == (meaning.place, meaning.split)]
    left = near or [entry for entry, _ in found]
    if len(left) != 1:
        raise _unrecognised(listing, choices)
    return left[0]


def _uneven(labels: DatasetEntry, rows: int) -> UserError:
    """Return the error that labels are not as many as rows."""
    return UserError(f"labels: must be one for each of the {rows:,} rows; received {labels}")


def _what_holds(listing: Listing) -> str:
    """Return what an HDF5 file is that holds something else than labelled images, as the end of "it is"; or ""."""
    names = {path.partition("/")[0] for path in listing.groups}
    deep = [entry.path.split("/") for entry in listing.datasets]
    variables = any(len(path) > 2 and path[-2] == "vars" and path[-1].isdecimal() for path in deep)
    if _KERAS_ATTRIBUTES & set(listing.attributes) or _KERAS_GROUPS & names or variables:
        model = "model_config" in listing.attributes
        return "a model of Keras, not a data set" if model else "a file of Keras weights, not a data set"
    if any("pandas_type" in attributes for attributes in listing.groups.values()):
        return "a table of pandas, not images"
    if listing.attributes.get("encoding-type") == "anndata":
        return "an AnnData file, not images"
    if not listing.datasets:
        return "an HDF5 file without datasets"
    return ""
