"""Finds the names of classes and the origins of rows; what cannot be understood is left out with a remark."""

from collections.abc import Mapping
from dataclasses import replace

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.choices import split_reference
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing
from pyimagesearch.io.foreign.pairing import Key, meanings
from pyimagesearch.io.foreign.plan import Plan

_MOST_NAMES = 2**20


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
