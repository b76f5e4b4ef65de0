"""Refusals that several rules share: they say what the file holds, and what would take it."""

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.choices import KEY, Choices, UnrecognisedError, contents
from pyimagesearch.io.foreign.entries import DatasetEntry, Listing
from pyimagesearch.io.foreign.pairing import can_be_images, has_rows, label_count


def unrecognised(listing: Listing, choices: Choices) -> UnrecognisedError:
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


def uneven(labels: DatasetEntry, rows: int) -> UserError:
    """Return the error that labels are not as many as rows."""
    return UserError(f"labels: must be one for each of the {rows:,} rows; received {labels}")


def unfinished(entry: DatasetEntry, told_rows: bool = False) -> str:
    """Return what says that a dataset's writer was stopped, as a sentence; or "".

    Args:
        told_rows: whether the user told how many of the first rows are good.
    """
    if entry.empty:
        return f"nothing was ever written into {entry.path}: its writer was stopped, build the file again"
    if entry.unwritten and not told_rows:
        return (
            f"{entry.unwritten:,} chunks of {entry.path} were never written and read as fill values: its writer was "
            "stopped, build the file again, or tell rows to use the first ones"
        )
    return ""
