"""Looks at every image of a data set once, on all processors."""

import warnings
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from pyimagesearch.building.duplicates import Group, conflicts, find_duplicates
from pyimagesearch.errors import UserError
from pyimagesearch.explore.look import Look
from pyimagesearch.explore.oddities import ASPECT_LIMIT, ODDITIES
from pyimagesearch.utils.parallel import keep_opencv_to_one_thread, map_ahead
from pyimagesearch.utils.progress import progress

_BLOCK, _BLOCKS_AHEAD = 16, 8
_BLANK = 2.0  # gray levels of deviation: the noise of JPEG on one colour stays below


class Images(Protocol):
    """Labelled images by row number, of which each can be looked at."""

    labels: np.ndarray
    label_names: list[str]
    paths: list[str]
    other_files: dict[str, int]

    def look(self, row: int) -> Look | str:
        """Return the look of an image, or why it cannot be read."""
        ...

    def picture(self, row: int) -> np.ndarray | None:
        """Return an image, perhaps reduced, of shape (h, w, 3 or 1), uint8, BGR; None if unreadable."""
        ...


class Survey(NamedTuple):
    """What was seen of a data set.

    Attributes:
        images: the data set.
        looks: what is known of every readable image, by its row.
        unreadable: why an image cannot be read, by its row.
        odd: what is unusual of images: by kind, as in `ODDITIES`, details by row.
        exact: groups of rows whose files are equal.
        near: groups of rows that show one picture, but whose files are not all equal.
        conflicts: groups of either sort whose labels differ.
    """

    images: Images
    looks: dict[int, Look]
    unreadable: dict[int, str]
    odd: dict[str, dict[int, str]]
    exact: list[Group]
    near: list[Group]
    conflicts: list[Group]

    @property
    def rows(self) -> np.ndarray:
        """The rows of readable images, sorted int64 ndarray of shape (m,)."""
        return np.fromiter(self.looks, np.int64)

    @property
    def sizes(self) -> np.ndarray:
        """Width and height of every readable image in pixels, int64 ndarray of shape (m, 2)."""
        return np.array([(look.width, look.height) for look in self.looks.values()])

    @property
    def means(self) -> np.ndarray:
        """Channel means of every readable image, float64 ndarray of shape (m, 3), blue first, or (m, 1) of gray."""
        return np.array([look.means for look in self.looks.values()])

    @property
    def brightness(self) -> np.ndarray:
        """Mean gray level of every readable image, float64 ndarray of shape (m,), by the weights of BT.601."""
        means = self.means
        return means @ (0.114, 0.587, 0.299) if means.shape[1] == 3 else means[:, 0]


def survey(images: Images, threads: int) -> Survey:
    """Look at all images.

    Args:
        threads: threads that decode.

    Raises:
        UserError: not one image can be read.
    """
    keep_opencv_to_one_thread()
    looks: dict[int, Look] = {}
    unreadable: dict[int, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is in the survey
        for row, look in enumerate(_looks(images, threads)):
            if isinstance(look, str):
                unreadable[row] = look
            else:
                looks[row] = look
    if not looks:
        raise UserError(
            f"dataset: not one of {len(images.labels):,} images can be read; of the first, {images.paths[0]}: "
            f"{unreadable[0]}; check the path"
        )
    rows = list(looks)
    prints = [look.fingerprint for look in looks.values()]
    exact, groups = ([[rows[i] for i in group] for group in found]
                     for found in (find_duplicates(prints, None), find_duplicates(prints)))  # fmt: skip
    near = [group for group in groups if len({looks[row].fingerprint.digest for row in group}) > 1]
    return Survey(images, looks, unreadable, _oddities(looks), exact, near, conflicts(groups, images.labels))


def _looks(images: Images, threads: int) -> Iterator[Look | str]:
    total = len(images.labels)

    def look_at_block(start: int) -> list[Look | str]:
        return [images.look(row) for row in range(start, min(start + _BLOCK, total))]

    blocks = map_ahead(look_at_block, range(0, total, _BLOCK), threads, threads * _BLOCKS_AHEAD)
    for block in progress(blocks, total, "Looking", _BLOCK):
        yield from block


def _oddities(looks: dict[int, Look]) -> dict[str, dict[int, str]]:
    """Gather what is odd of single files, and what is odd only among the others."""
    odd: dict[str, dict[int, str]] = {kind: {} for kind in ODDITIES}
    for row, look in looks.items():
        for kind, detail in look.oddities.items():
            odd[kind][row] = detail
        if max(look.width, look.height) > ASPECT_LIMIT * min(look.width, look.height):
            odd["narrow"][row] = f"{look.width:,} x {look.height:,}"
        if look.contrast < _BLANK:
            odd["blank"][row] = f"mean {np.mean(look.means):.0f}"
    if 2 * len(odd["gray"]) >= len(looks):  # gray is what they are
        odd["gray"] = {}
    return {kind: found for kind, found in odd.items() if found}
