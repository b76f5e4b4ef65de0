"""Split images into training, validation and test, each class alike, alike pictures together."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pyimagesearch.building.duplicates import Group
from pyimagesearch.errors import UserError


def split(labels: np.ndarray, val: float, test: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows into training, validation and test sets, with equal shares of every class.

    Args:
        labels: integer ndarray of shape (n,).
        val, test: how many images each gets: a count, or a fraction of all if below 1.
        seed: the same seed gives the same split.

    Returns:
        Three sorted int64 ndarrays of row numbers; together they hold every row once.

    Raises:
        UserError: there are not enough images.
    """
    from sklearn.model_selection import train_test_split

    counts = {
        "validation": _count("NUM_VAL_IMAGES", val, len(labels)),
        "test": _count("NUM_TEST_IMAGES", test, len(labels)),
    }
    if not 0 <= seed < 2**32:
        raise UserError(f"SEED: must be a whole number from 0 to {2**32 - 1}; received {seed}")
    rest = len(labels) - sum(counts.values())
    classes = Counter(labels.tolist())
    asked = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    if rest < len(classes):
        raise UserError(
            f"split: {asked} images leave {rest:,} of {len(labels):,} for training, and each of the "
            f"{len(classes)} classes needs one; lower NUM_VAL_IMAGES and NUM_TEST_IMAGES in the config"
        )
    too_few = UserError(
        f"split: every set needs an image of each of the {len(classes)} classes; received {len(labels):,} images, "
        f"the rarest class {min(classes.values()):,}, for {asked}; add images of the rarest class or change the "
        "counts in the config"
    )
    rows = np.arange(len(labels))
    sets: list[np.ndarray] = []
    for count in reversed(counts.values()):
        if count < len(classes) or min(Counter(labels[rows].tolist()).values()) < 2:
            raise too_few
        rows, chosen = train_test_split(rows, test_size=count, stratify=labels[rows], random_state=seed)
        sets.insert(0, np.sort(chosen))
    sets.insert(0, np.sort(rows))
    if any(len(np.unique(labels[chosen])) < len(classes) for chosen in sets):
        raise too_few
    train, validation, testing = sets
    return train, validation, testing


def _count(name: str, size: float, n: int) -> int:
    if not isinstance(size, int | float) or size <= 0 or (size > 1 and size != int(size)):
        raise UserError(f"{name}: must be a count of images, or a fraction between 0 and 1; received {size!r}")
    return round(size * n) if size < 1 else int(size)


def split_groups(
    labels: np.ndarray, groups: Sequence[Group], val: float, test: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows as `imagefolder.split` does, keeping every group inside one set.

    Groups are drawn into sets at random, the larger ones first, where there is room for them; rows
    that are alone fill the sets up. A set's count of a class is the one asked for if enough rows are
    alone, and otherwise off by less than the size of a group or two. No groups change nothing.

    Args:
        labels, val, test, seed: as of `imagefolder.split`.
        groups: disjoint lists of row numbers.

    Returns:
        Three sorted int64 ndarrays of row numbers; together they hold every row once.

    Raises:
        UserError: there are not enough images, or not enough outside large groups.
    """
    sets = split(labels, val, test, seed)
    if not groups:
        return sets
    names, classes = np.unique(labels, return_inverse=True)
    room = np.stack([np.bincount(classes[rows], minlength=len(names)) for rows in sets])
    rng = np.random.default_rng(seed)
    home = np.full(len(labels), -1)
    for index in sorted(rng.permutation(len(groups)), key=lambda index: -len(groups[index])):
        rows = np.array(groups[index])
        kinds, size = np.unique(classes[rows], return_counts=True)
        spare = (room[:, kinds] - size).min(axis=1)
        share = (spare >= 0) * room[:, kinds].sum(axis=1)
        home[rows] = where = rng.choice(3, p=share / share.sum()) if share.any() else 2 - spare[::-1].argmax()
        room[where, kinds] -= size
    for kind in range(len(names)):
        alone = rng.permutation(np.flatnonzero((classes == kind) & (home < 0)))
        home[alone] = np.repeat([1, 2, 0], [*room[1:, kind].clip(0), len(alone)])[: len(alone)]
    train, validation, testing = (np.flatnonzero(home == number) for number in range(3))
    if any(len(np.unique(classes[rows])) < len(names) for rows in (train, validation, testing)):
        raise UserError(
            f"split: every set needs an image of each of the {len(names)} classes, which keeping duplicates "
            f"together does not allow: the largest of {len(groups):,} groups has {max(map(len, groups)):,} "
            "images; remove duplicates, or split without grouping them"
        )
    return train, validation, testing
