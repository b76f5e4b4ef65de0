"""Split images into training, validation and test images, stratified by class, with groups kept together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pyimagesearch.building.duplicates import Group
from pyimagesearch.errors import UserError

_MOST_FOLDS = 10  # of which splits are made: with more, rare classes would be missing in some

Splits = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Sorted int64 ndarrays of row indices for training, validation and testing, which hold every row once."""


def split(
    labels: np.ndarray,
    num_val_images: float | str,
    num_test_images: float | str,
    seed: int,
    groups: Sequence[Group] = (),
    paths: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> Splits:
    """Split rows at random, with an equal share of every class in each split, or as they are split already.

    Where most rows are in groups, splits are made of folds of scikit-learn's ``StratifiedGroupKFold``, and their sizes
    are about those asked for. Else groups are drawn into splits first, large ones before small ones, where there is
    room for them, and rows outside groups fill the splits up: each count of a class is exact if there are enough of
    these, and otherwise off by less than the size of a group or two.

    Args:
        labels: integer ndarray of shape (n,).
        num_val_images, num_test_images: a count, a fraction of all if below 1, or the name of the folder that holds
            them, such as "test".
        seed: equal seeds give equal splits.
        groups: disjoint lists of rows, each of which stays in one split.
        paths: of the images, relative to their root, where a split is a folder.
        kept: "train", "val" or "test" for each row where these are given; what they lack, val or test, is drawn from
            the rest.

    Raises:
        UserError: there are not enough images, or not enough outside large groups; a group lies in splits given.
    """
    sizes = {"num_val_images": num_val_images, "num_test_images": num_test_images}
    fixed: dict[str, np.ndarray] = {}
    for name, split_name in (("num_val_images", "val"), ("num_test_images", "test")):
        size = sizes[name]
        if isinstance(size, str):
            fixed[name] = _below(name, size, paths)
        elif split_name in kept:
            fixed[name] = np.flatnonzero(np.asarray(kept) == split_name)
    counts = {
        name: len(fixed[name]) if name in fixed else _count(name, size, len(labels)) for name, size in sizes.items()
    }
    drawn = _stratified(labels, counts, fixed, seed)
    if not groups:
        return drawn
    free = np.setdiff1d(np.arange(len(labels)), [row for rows in fixed.values() for row in rows])
    groups = _free_groups(groups, fixed, free, paths)
    names = ["train", *(name for name in counts if name not in fixed)]
    rows = [chosen for name, chosen in zip(["train", *counts], drawn, strict=True) if name in names]
    if groups and len(rows) > 1:
        within = [np.searchsorted(free, chosen) for chosen in rows]
        rows = [free[chosen] for chosen in _with_groups(labels[free], groups, within, seed)]
    train, validation, test = ({**fixed, **dict(zip(names, rows, strict=True))}[name] for name in ["train", *counts])
    return train, validation, test


def _below(name: str, folder: str, paths: Sequence[str]) -> np.ndarray:
    rows = np.flatnonzero([path.startswith(f"{folder}/") for path in paths])
    if not len(rows):
        raise _no_size(name, folder)
    return rows


def _free_groups(
    groups: Sequence[Group], fixed: Mapping[str, np.ndarray], free: np.ndarray, paths: Sequence[str]
) -> list[Group]:
    """Return the groups that are to be drawn, as indices in ``free``; refuse those that lie in several splits."""
    if not fixed:
        return list(groups)
    place = np.zeros(len(free) + sum(map(len, fixed.values())), int)
    for number, rows in enumerate(fixed.values(), start=1):
        place[rows] = number
    crossing = [group for group in groups if np.ptp(place[group])]
    if crossing:
        group = crossing[0]
        pair = [group[0], next(row for row in group if place[row] != place[group[0]])]
        names = " and ".join(paths[row] if paths else f"row {row}" for row in pair)
        raise UserError(
            f"split: {len(crossing):,} of {len(groups):,} groups lie in several of the splits that are kept, such as "
            f"{names}; let splits be drawn with keep_splits=False, remove these images, or split without groups"
        )
    return [np.searchsorted(free, group).tolist() for group in groups if place[group[0]] == 0]


def _stratified(labels: np.ndarray, counts: dict[str, int], fixed: Mapping[str, np.ndarray], seed: int) -> Splits:
    from sklearn.model_selection import train_test_split

    if not 0 <= seed < 2**32:
        raise UserError(f"seed: must be a whole number from 0 to {2**32 - 1}; received {seed}")
    rest = len(labels) - sum(counts.values())
    classes = Counter(labels.tolist())
    for name, rows in fixed.items():
        lacking = len(classes) - len(np.unique(labels[rows]))
        if lacking:
            raise UserError(
                f"split: every split needs an image of each of the {len(classes)} classes; those that are given for "
                f"{name} lack {lacking}; add some, or draw the images at random with keep_splits=False and a number"
            )
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


def _with_groups(
    labels: np.ndarray, groups: Sequence[Group], splits: Sequence[np.ndarray], seed: int
) -> Sequence[np.ndarray]:
    """Return splits about as large as ``splits``, with equal shares of each class, but every group in one of them."""
    names, classes = np.unique(labels, return_inverse=True)
    sizes = list(map(len, splits))
    if 2 * sum(map(len, groups)) > len(labels):
        found = _by_folds(classes, groups, sizes, seed)
        if all(len(np.unique(classes[rows])) == len(names) for rows in found):
            return found
    room = np.stack([np.bincount(classes[rows], minlength=len(names)) for rows in splits])
    found = _by_room(classes, groups, room, seed)
    if any(len(np.unique(classes[rows])) < len(names) for rows in found):
        raise UserError(
            f"split: every split needs an image of each of the {len(names)} classes, which keeping groups and "
            f"duplicates together does not allow: the largest of {len(groups):,} groups has "
            f"{max(map(len, groups)):,} images; add images, or split without groups"
        )
    return found


def _by_folds(classes: np.ndarray, groups: Sequence[Group], sizes: Sequence[int], seed: int) -> list[np.ndarray]:
    """Make each split but the first of folds of scikit-learn; an empty list where a class has too few rows for them."""
    from sklearn.model_selection import StratifiedGroupKFold

    group_of = np.arange(len(classes))
    for group in groups:
        group_of[group] = group[0]
    rest = np.arange(len(classes))
    found: list[np.ndarray] = []
    for size in reversed(sizes[1:]):
        share = Fraction(size, len(rest)).limit_denominator(_MOST_FOLDS)
        taken, count = max(share.numerator, 1), share.denominator if share else _MOST_FOLDS
        if np.bincount(classes[rest]).min() < count:
            return []
        folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        parts = [part for _, part in folds.split(rest, classes[rest], group_of[rest])]
        found.insert(0, np.sort(rest[np.concatenate(parts[:taken])]))
        rest = rest[np.sort(np.concatenate(parts[taken:]))]
    return [rest, *found]


def _by_room(classes: np.ndarray, groups: Sequence[Group], room: np.ndarray, seed: int) -> list[np.ndarray]:
    """Draw the split of every group, where there is ``room`` for rows of its classes; single rows fill the splits up.

    It keeps the counts of each class where few rows are in groups, in linear time; see `_by_folds` for many.
    """
    last = len(room) - 1
    rng = np.random.default_rng(seed)
    home = np.full(len(classes), -1)
    for index in sorted(rng.permutation(len(groups)), key=lambda index: -len(groups[index])):
        rows = np.array(groups[index])
        kinds, size = np.unique(classes[rows], return_counts=True)
        spare = (room[:, kinds] - size).min(axis=1)
        chance = (spare >= 0) * room[:, kinds].sum(axis=1)
        if chance.any():
            home[rows] = where = rng.choice(last + 1, p=chance / chance.sum())
        else:
            home[rows] = where = last - spare[::-1].argmax()
        room[where, kinds] -= size
    for kind in range(room.shape[1]):
        alone = rng.permutation(np.flatnonzero((classes == kind) & (home < 0)))
        order = np.repeat([*range(1, last + 1), 0], [*room[1:, kind].clip(0), len(alone)])
        home[alone] = order[: len(alone)]
    return [np.flatnonzero(home == place) for place in range(last + 1)]
