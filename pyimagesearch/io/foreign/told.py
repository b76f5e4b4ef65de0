"""Finds the datasets that the user names, and those that go with them."""

from collections.abc import Mapping

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.choices import Choices, contents, split_reference
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing
from pyimagesearch.io.foreign.members import Members, find_members, label_plan
from pyimagesearch.io.foreign.pairing import Pair, can_be_images, label_count, meanings
from pyimagesearch.io.foreign.refusals import uneven, unrecognised


def find_told(
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
            raise unrecognised(listing, choices)
        if labels is not None:
            if label_count(labels) != len(members.images):
                raise uneven(labels, len(members.images))
            members.labels = label_plan(labels, choices.labels_file)
        return None, members
    if choices.images:
        images = _named("images", choices.images, listing, others)
        if not can_be_images(images):
            raise UserError(f"images: must be a dataset of images or vectors; {images} is not")
    else:
        images = _only(listing, choices, labels, "images")
    labels = labels or _only(listing, choices, images, "labels")
    if not labels.problem and label_count(labels) < 0:
        raise UserError(f"labels: must be numbers or text, one for each row, or one-hot; received {labels}")
    meaning = meanings(listing).get(images.path)
    return Pair(images, labels, (meaning.place, meaning.split) if meaning else ("", ""), []), None


def _named(argument: str, text: str, listing: Listing, others: Mapping[str, Listing]) -> DatasetEntry:
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


def _only(listing: Listing, choices: Choices, partner: DatasetEntry | None, role: str) -> DatasetEntry:
    """Return the one dataset of a role that goes with the one which the user told."""
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
        raise unrecognised(listing, choices)
    return left[0]
