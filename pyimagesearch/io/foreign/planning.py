"""From the path of a file to the plan by which it is read."""

import os
from collections.abc import Callable
from dataclasses import replace

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.choices import Choices, UnrecognisedError
from pyimagesearch.io.foreign.damage import damage_named
from pyimagesearch.io.foreign.entries import Listing
from pyimagesearch.io.foreign.identity import what_is
from pyimagesearch.io.foreign.listing import open_foreign, read_listing
from pyimagesearch.io.foreign.plan import Plan
from pyimagesearch.io.foreign.recognition import recognise
from pyimagesearch.io.foreign.rows import look


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
    try:
        return plan.settle(seen)
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


def require_hdf5(path: str | os.PathLike[str]) -> None:
    """Raise a UserError that says what a file is, unless it is HDF5."""
    if not os.path.isfile(path):
        raise UserError(f"data set: {os.fspath(path)} does not exist or is no file; check the path")
    if what := what_is(path):
        raise UserError(f"data set: {os.fspath(path)} must be an HDF5 file; it is {what}")


def _list(path: str | os.PathLike[str], alive: Callable[[], None]) -> Listing:
    require_hdf5(path)
    with open_foreign(path) as file, damage_named(os.fspath(path), "the structure"):
        return read_listing(file, alive=alive)
