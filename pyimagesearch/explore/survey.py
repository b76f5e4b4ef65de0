"""Look at every image of a data set once, on all processors."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pyimagesearch.building.duplicates import Group, conflicts, find_duplicates
from pyimagesearch.errors import UserError
from pyimagesearch.explore.images import Images
from pyimagesearch.explore.look import ASPECT_LIMIT, ODDITIES, Look
from pyimagesearch.utils.parallel import map_ahead
from pyimagesearch.utils.progress import progress

_BLOCK, _BLOCKS_AHEAD = 16, 8
_BLANK = 2.0  # gray levels of deviation: the noise of JPEG on one colour stays below


@dataclass(frozen=True)
class Survey:
    """The looks of a data set's images, and what they have in common.

    Attributes:
        images: the data set.
        looks: of readable images, by index.
        unreadable: why an image cannot be read, by index.
        odd: by kind, a key of `ODDITIES`, details by index.
        exact: groups of indices whose files are equal.
        near: groups of indices that show one picture, but whose files are not all equal.
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
    def readable(self) -> np.ndarray:
        """The indices of readable images, sorted int64 ndarray of shape (m,)."""
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
        UserError: no image can be read.
    """
    looks: dict[int, Look] = {}
    unreadable: dict[int, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's warnings are among the oddities
        for index, look in enumerate(_looks(images, threads)):
            if isinstance(look, str):
                unreadable[index] = look
            else:
                looks[index] = look
    if not looks:
        raise UserError(
            f"dataset: not one of {len(images.labels):,} images can be read; of the first, {images.paths[0]}: "
            f"{unreadable[0]}; check the path"
        )
    indices = list(looks)
    prints = [look.fingerprint for look in looks.values()]
    exact, groups = ([[indices[i] for i in group] for group in found]
                     for found in (find_duplicates(prints, None), find_duplicates(prints)))  # fmt: skip
    near = [group for group in groups if len({looks[index].fingerprint.digest for index in group}) > 1]
    return Survey(images, looks, unreadable, _oddities(looks), exact, near, conflicts(groups, images.labels))


def _looks(images: Images, threads: int) -> Iterator[Look | str]:
    total = len(images.labels)

    def look_at_block(start: int) -> list[Look | str]:
        return [images.look(index) for index in range(start, min(start + _BLOCK, total))]

    blocks = map_ahead(look_at_block, range(0, total, _BLOCK), threads, threads * _BLOCKS_AHEAD)
    for block in progress(blocks, total, "Looking", _BLOCK):
        yield from block


def _oddities(looks: dict[int, Look]) -> dict[str, dict[int, str]]:
    """Gather the oddities of single files, and those that only the other images make odd."""
    odd: dict[str, dict[int, str]] = {kind: {} for kind in ODDITIES}
    for index, look in looks.items():
        for kind, detail in look.oddities.items():
            odd[kind][index] = detail
        if max(look.width, look.height) > ASPECT_LIMIT * min(look.width, look.height):
            odd["narrow"][index] = f"{look.width:,} x {look.height:,}"
        if look.contrast < _BLANK:
            odd["blank"][index] = f"mean {np.mean(look.means):.0f}"
    if 2 * len(odd["gray"]) >= len(looks):  # then gray is the rule
        odd["gray"] = {}
    return {kind: found for kind, found in odd.items() if found}
