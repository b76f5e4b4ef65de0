"""Split images into training, validation and test images, stratified by class, with duplicates kept together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyimagesearch.building.duplicates import Group
from pyimagesearch.errors import UserError

Splits = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Sorted int64 ndarrays of row indices for training, validation and testing, which hold every row once."""


def split(
    labels: np.ndarray,
    num_val_images: float | str,
    num_test_images: float | str,
    seed: int,
    groups: Sequence[Group] = (),
    paths: Sequence[str] = (),
) -> Splits:
    """Split rows at random, with an equal share of every class in each split.

    Groups are drawn into splits first, large ones before small ones, where there is room for them; rows outside groups
    fill the splits up. Each count of a class is exact if enough rows are outside groups, and otherwise off by less
    than the size of a group or two.

    Args:
        labels: integer ndarray of shape (n,).
        num_val_images, num_test_images: a count, a fraction of all if below 1, or the name of the folder that holds
            them, such as "test".
        seed: equal seeds give equal splits.
        groups: disjoint lists of rows, each of which stays in one split; not for splits that are folders.
        paths: of the images, relative to their root, where a split is a folder.

    Raises:
        UserError: there are not enough images, or not enough outside large groups.
    """
    sizes = {"num_val_images": num_val_images, "num_test_images": num_test_images}
    fixed = {name: _below(name, size, paths) for name, size in sizes.items() if isinstance(size, str)}
    if groups and fixed:
        raise UserError(f"{next(iter(fixed))}: must be a number where duplicates are grouped; received a folder")
    counts = {
        name: len(fixed[name]) if name in fixed else _count(name, size, len(labels)) for name, size in sizes.items()
    }
    splits = _stratified(labels, counts, fixed, seed)
    return _with_groups(labels, groups, splits, seed) if groups else splits


def _below(name: str, folder: str, paths: Sequence[str]) -> np.ndarray:
    rows = np.flatnonzero([path.startswith(f"{folder}/") for path in paths])
    if not len(rows):
        raise _no_size(name, folder)
    return rows


def _stratified(labels: np.ndarray, counts: dict[str, int], fixed: Mapping[str, np.ndarray], seed: int) -> Splits:
    from sklearn.model_selection import train_test_split

    if not 0 <= seed < 2**32:
        raise UserError(f"seed: must be a whole number from 0 to {2**32 - 1}; received {seed}")
    rest = len(labels) - sum(counts.values())
    classes = Counter(labels.tolist())
    asked = f"{counts['num_val_images']:,} validation, {counts['num_test_images']:,} test"
    if rest < len(classes):
        raise UserError(
            f"split: {asked} images leave {rest:,} of {len(labels):,} for training, and each of the {len(classes)} "
            "classes needs one; lower num_val_images and num_test_images"
        )
    too_few = UserError(
        f"split: every split needs an image of each of the {len(classes)} classes; received {len(labels):,} images, "
        f"the rarest class {min(classes.values()):,}, for {asked}; add images of the rarest class, or change "
        "num_val_images and num_test_images"
    )
    rows = np.setdiff1d(np.arange(len(labels)), [row for rows in fixed.values() for row in rows])
    splits: list[np.ndarray] = []
    for name, count in reversed(counts.items()):
        if name in fixed:
            splits.insert(0, fixed[name])
            continue
        if count < len(classes) or min(Counter(labels[rows].tolist()).values()) < 2:
            raise too_few
        rows, chosen = train_test_split(rows, test_size=count, stratify=labels[rows], random_state=seed)
        splits.insert(0, np.sort(chosen))
    train, (validation, test) = np.sort(rows), splits
    if any(len(np.unique(labels[chosen])) < len(classes) for chosen in (train, validation, test)):
        raise too_few
    return train, validation, test


def _count(name: str, size: Any, n: int) -> int:
    if not isinstance(size, int | float) or size <= 0 or (size > 1 and size != int(size)):
        raise _no_size(name, size)
    return round(size * n) if size < 1 else int(size)


def _no_size(name: str, received: Any) -> UserError:
    return UserError(f"{name}: must be a count, a fraction below 1, or the name of a folder; received {received!r}")


def _with_groups(labels: np.ndarray, groups: Sequence[Group], splits: Splits, seed: int) -> Splits:
    """Return splits with as many rows of each class as ``splits`` have, but with every group in one of them."""
    names, classes = np.unique(labels, return_inverse=True)
    room = np.stack([np.bincount(classes[rows], minlength=len(names)) for rows in splits])
    rng = np.random.default_rng(seed)
    home = np.full(len(labels), -1)
    for index in sorted(rng.permutation(len(groups)), key=lambda index: -len(groups[index])):
        rows = np.array(groups[index])
        kinds, size = np.unique(classes[rows], return_counts=True)
        spare = (room[:, kinds] - size).min(axis=1)
        chance = (spare >= 0) * room[:, kinds].sum(axis=1)
        home[rows] = where = rng.choice(3, p=chance / chance.sum()) if chance.any() else 2 - spare[::-1].argmax()
        room[where, kinds] -= size
    for kind in range(len(names)):
        alone = rng.permutation(np.flatnonzero((classes == kind) & (home < 0)))
        home[alone] = np.repeat([1, 2, 0], [*room[1:, kind].clip(0), len(alone)])[: len(alone)]
    train, validation, test = (np.flatnonzero(home == place) for place in range(3))
    if any(len(np.unique(classes[rows])) < len(names) for rows in (train, validation, test)):
        raise UserError(
            f"split: every split needs an image of each of the {len(names)} classes, which keeping duplicates together "
            f"does not allow: the largest of {len(groups):,} groups has {max(map(len, groups)):,} images; remove "
            "duplicates, or split without groups"
        )
    return train, validation, test
