"""Split images into training, validation and test images, stratified by class, with duplicates kept together."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pyimagesearch.building.duplicates import Group
from pyimagesearch.errors import UserError

Splits = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Sorted int64 ndarrays of row indices for training, validation and testing, which hold every row once."""


def split(
    labels: np.ndarray, num_val_images: float, num_test_images: float, seed: int, groups: Sequence[Group] = ()
) -> Splits:
    """Split rows at random, with an equal share of every class in each split.

    Groups are drawn into splits first, large ones before small ones, where there is room for them; rows outside groups
    fill the splits up. Each count of a class is exact if enough rows are outside groups, and otherwise off by less
    than the size of a group or two.

    Args:
        labels: integer ndarray of shape (n,).
        num_val_images, num_test_images: a count, or a fraction of all if below 1.
        seed: equal seeds give equal splits.
        groups: disjoint lists of rows, each of which stays in one split.

    Raises:
        UserError: there are not enough images, or not enough outside large groups.
    """
    splits = _stratified(labels, num_val_images, num_test_images, seed)
    return _with_groups(labels, groups, splits, seed) if groups else splits


def _stratified(labels: np.ndarray, num_val_images: float, num_test_images: float, seed: int) -> Splits:
    from sklearn.model_selection import train_test_split

    counts = {
        "validation": _count("num_val_images", num_val_images, len(labels)),
        "test": _count("num_test_images", num_test_images, len(labels)),
    }
    if not 0 <= seed < 2**32:
        raise UserError(f"seed: must be a whole number from 0 to {2**32 - 1}; received {seed}")
    rest = len(labels) - sum(counts.values())
    classes = Counter(labels.tolist())
    asked = ", ".join(f"{count:,} {name}" for name, count in counts.items())
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
    rows = np.arange(len(labels))
    splits: list[np.ndarray] = []
    for count in reversed(counts.values()):
        if count < len(classes) or min(Counter(labels[rows].tolist()).values()) < 2:
            raise too_few
        rows, chosen = train_test_split(rows, test_size=count, stratify=labels[rows], random_state=seed)
        splits.insert(0, np.sort(chosen))
    train, (validation, test) = np.sort(rows), splits
    if any(len(np.unique(labels[chosen])) < len(classes) for chosen in (train, validation, test)):
        raise too_few
    return train, validation, test


def _count(name: str, size: float, n: int) -> int:
    if not isinstance(size, int | float) or size <= 0 or (size > 1 and size != int(size)):
        raise UserError(f"{name}: must be a count of images, or a fraction between 0 and 1; received {size!r}")
    return round(size * n) if size < 1 else int(size)


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
