"""Find images that occur twice in a data set: as equal files, or as the same picture stored again.

A duplicate on both sides of a split leaks: the network is tested on what it was trained on. Every image gets a
fingerprint while it is decoded; `find_duplicates` groups the rows whose fingerprints agree, to be reported or kept in
one split.

Pictures are found that were re-encoded, resized, brightened, turned gray, or trimmed by a few percent at their edges;
mirrored, rotated and heavily cropped ones are not. Digits, icons and other simple shapes on a plain background look
alike to the hash: ask for equal files only there.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.folder import ImageFolder

MAX_DISTANCE = 6
"""Bits in which the hashes of one picture may differ.

The hashes of different pictures differed in 8 or more, in all of 312 million pairs cut from 2,500 photographs.
"""

_LINES = 128  # of an image that are looked at
_SIDE, _KEPT = 32, 8  # of the gray picture, and of its low frequencies
_ANGLES = np.outer(np.arange(_KEPT), np.arange(_SIDE) + 0.5) * np.pi / _SIDE
_COSINES = (np.cos(_ANGLES) * np.where(np.arange(_KEPT) == 0, 1, 2**0.5)[:, None] / _SIDE**0.5).astype(np.float32)
_NOISE, _MIN_BITS = 2.0, 48  # a frequency this near the median, 7 sigma of rounding to 8 bits, is an accident

_MAX_BUCKET = 1000  # of many hashes that agree in some bands, each is compared with this many others
_SORTING = 10.0  # cost of sorting a row, in comparisons

Group = list[int]
"""Sorted indices of rows that show the same picture."""


class Fingerprint(NamedTuple):
    """Identify an image and its picture.

    Attributes:
        digest: SHA-256 of the file, 32 bytes.
        phash: 64-bit perceptual hash of the pixels, in [0, 2**64); None if the picture is too flat or too regular to be
            distinguished from similar ones.
    """

    digest: bytes
    phash: int | None


def fingerprint(data: bytes, image: np.ndarray) -> Fingerprint:
    """Return the fingerprint of one image.

    Args:
        data: the whole file.
        image: its pixels, ndarray of shape (h, w, channels), uint8; BGR if there are three.
    """
    return take_fingerprints([data], [thumbnail(image)])[0]


def take_fingerprints(files: Sequence[bytes], thumbnails: Sequence[np.ndarray]) -> list[Fingerprint]:
    """Return the fingerprints of many images, each at half the cost of `fingerprint`.

    The perceptual hash is pHash (C. Zauner, "Implementation and Benchmarking of Perceptual Image
    Hash Functions", 2010): which of the 64 lowest frequencies of the gray 32x32 picture, by its
    cosine transform, lie above their median.

    Args:
        files: the whole files.
        thumbnails: their images, reduced by `thumbnail`.
    """
    pictures = np.stack(thumbnails).astype(np.float32)
    low = (_COSINES @ pictures @ _COSINES.T).reshape(len(pictures), -1)
    low -= np.partition(low, (31, 32), axis=1)[:, 31:33].mean(axis=1, keepdims=True)  # np.median takes twice as long
    telling = np.count_nonzero(np.abs(low) > _NOISE, axis=1) >= _MIN_BITS
    hashes = np.packbits(low > 0, axis=1).view(">u8")[:, 0]
    return [
        Fingerprint(hashlib.sha256(data).digest(), phash if tells else None)
        for data, phash, tells in zip(files, hashes.tolist(), telling.tolist(), strict=True)
    ]


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Reduce an image, as `fingerprint` takes it, to the gray picture of shape (32, 32), uint8, that is hashed."""
    lines = image[:: max(1, len(image) // _LINES)]  # enough for so small a picture
    gray = cv2.cvtColor(lines[..., :3], cv2.COLOR_BGR2GRAY) if image.shape[2] >= 3 else lines[..., 0]
    while min(gray.shape) >= 4 * _SIDE:  # halving first is five times faster
        gray = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)


def find_duplicates(fingerprints: Sequence[Fingerprint], max_distance: int | None = MAX_DISTANCE) -> list[Group]:
    """Group the rows that show the same picture.

    Rows of one group are linked by pairs whose files are equal, or whose hashes differ in at most
    ``max_distance`` bits; rows without a partner are left out. Not all pairs are compared: cut into d + k bands, hashes
    at a distance of d or less agree in at least k bands, so sorting by every choice of k bands makes them neighbours
    (G. S. Manku and others, "Detecting Near-Duplicates for Web Crawling", WWW 2007). If more than 1,000 different
    hashes agree in one choice, some of their pairs are skipped.

    Args:
        max_distance: from 0 to 16; None compares files only.

    Returns:
        Sorted lists of at least two row indices, ordered by their first.

    Raises:
        UserError: ``max_distance`` is out of range.
    """
    if max_distance is not None and max_distance not in range(17):
        raise UserError(f"max_distance: must be a whole number from 0 to 16, or None; received {max_distance!r}")
    group_of = np.arange(len(fingerprints))
    first: dict[bytes, int] = {}
    equal = np.array([first.setdefault(each.digest, row) for row, each in enumerate(fingerprints)], np.int64)
    group_of = _joined(group_of, group_of, equal)
    if max_distance is not None:
        rows = np.array([row for row, each in enumerate(fingerprints) if each.phash is not None], np.int64)
        hashes = np.array([each.phash for each in fingerprints if each.phash is not None], np.uint64)
        hashes, firsts, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        group_of = _joined(group_of, rows, rows[firsts][inverse])
        for mask in _masks(len(hashes), max_distance):
            for a, b in _close_pairs(hashes, mask, max_distance):
                group_of = _joined(group_of, rows[firsts[a]], rows[firsts[b]])
    return _groups(group_of)


def join_named(groups: Sequence[Group], names: Sequence[str]) -> list[Group]:
    """Unite groups of rows that share a name, "" for none, and the rows of each name; see `find_duplicates`."""
    group_of = np.arange(len(names))
    first: dict[str, int] = {}
    same = np.array([first.setdefault(name, row) if name else row for row, name in enumerate(names)], np.int64)
    group_of = _joined(group_of, group_of, same)
    rows = np.array([row for group in groups for row in group], np.int64)
    firsts = np.array([group[0] for group in groups for _ in group], np.int64)
    return _groups(_joined(group_of, rows, firsts))


def _groups(group_of: np.ndarray) -> list[Group]:
    """Return the groups of at least two rows from the number of each row's group."""
    order = np.argsort(group_of, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1)
    return sorted(group.tolist() for group in groups if len(group) > 1)


def _joined(group_of: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Unite the groups of rows ``a[i]`` and ``b[i]``; ``group_of`` numbers the group of every row."""
    a, b = group_of[a], group_of[b]
    apart = a != b
    if not apart.any():
        return group_of
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(group_of)
    links = coo_array((np.ones(np.count_nonzero(apart)), (a[apart], b[apart])), shape=(n, n))
    return connected_components(links, directed=False)[1][group_of]


def _masks(n: int, distance: int) -> Iterator[np.uint64]:
    """Yield the bits to sort ``n`` hashes by: every choice of k bands, for the cheapest k."""

    def cost(k: int) -> float:
        return comb(distance + k, k) * (_SORTING + n / 2 ** (64 * k / (distance + k)))

    kept = min(range(1, 5), key=cost)
    bands = [sum(1 << bit for bit in range(start, 64, distance + kept)) for start in range(distance + kept)]
    for chosen in combinations(bands, kept):
        yield np.uint64(sum(chosen))


def _close_pairs(hashes: np.ndarray, mask: np.uint64, distance: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of indices whose hashes agree in ``mask`` and differ in at most ``distance`` bits."""
    order = np.argsort(hashes & mask, kind="stable")
    hashes = hashes[order]
    keys, left = hashes & mask, np.arange(len(hashes))
    for step in range(1, _MAX_BUCKET + 1):
        left = left[: np.searchsorted(left, len(hashes) - step)]
        left = left[keys[left] == keys[left + step]]
        if not len(left):
            return
        differing = hashes[left] ^ hashes[left + step]
        for _ in range(distance):  # each time clears the lowest bit that is left
            differing &= differing - np.uint64(1)
        close = left[differing == 0]
        yield order[close], order[close + step]


def across_splits(groups: Sequence[Group], splits: Mapping[str, np.ndarray]) -> list[dict[str, Group]]:
    """Return the groups that lie in more than one split, each as the rows in every split by its name."""
    members = {name: set(rows.tolist()) for name, rows in splits.items()}
    placed = ({name: [row for row in group if row in rows] for name, rows in members.items()} for group in groups)
    found = ({name: rows for name, rows in group.items() if rows} for group in placed)
    return [group for group in found if len(group) > 1]


def conflicts(groups: Sequence[Group], labels: np.ndarray) -> list[Group]:
    """Return the groups whose rows have different ``labels``, an integer ndarray of shape (n,)."""
    return [group for group in groups if np.ptp(labels[group])]


def summary(groups: Sequence[Group], images: ImageFolder, splits: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Report duplicates by the paths of the images, ready for JSON."""

    def names(rows: Sequence[int]) -> list[str]:
        return [images.paths[row] for row in rows]

    across = across_splits(groups, splits)
    return {
        "pictures": len(groups),
        "groups": [names(group) for group in groups],
        "across_splits": [{name: names(rows) for name, rows in group.items()} for group in across],
        "conflicts": [names(group) for group in conflicts(groups, images.labels)],
    }
