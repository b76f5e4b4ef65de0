"""Finds images that are in a data set twice: the same file, or the same picture stored anew.

A duplicate on both sides of a split leaks: the network is tested on what it was trained on. Every
image is given a fingerprint while it is decoded; `find_duplicates` groups the rows whose
fingerprints agree, and the groups are reported or kept inside one split.

Found are pictures that were re-encoded, resized, brightened, turned gray, or cut by a few percent
at their edges; mirrored, rotated and heavily cropped ones are not. Digits, icons and the like look
alike to it: ask for equal files only where all pictures are simple shapes on a plain ground.
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

The hashes of unlike pictures differed in 8 or more, in all of 312 million pairs that were cut from
2,500 photographs.
"""


_LINES = 128


_SIDE, _KEPT = 32, 8  # of the picture that is transformed, and of its low frequencies


_ANGLES = np.outer(np.arange(_KEPT), np.arange(_SIDE) + 0.5) * np.pi / _SIDE


_COSINES = (np.cos(_ANGLES) * np.where(np.arange(_KEPT) == 0, 1, 2**0.5)[:, None] / _SIDE**0.5).astype(np.float32)


_NOISE, _MIN_BITS = 2.0, 48  # a frequency this near the median, 7 sigma of rounding to 8 bits, is an accident


_MAX_BUCKET = 1000  # hashes that agree in many bits are each compared with this many of the others


_SORTING = 10.0  # what sorting a row costs, in comparisons


Group = list[int]


class Fingerprint(NamedTuple):
    """What tells an image from others.

    Attributes:
        digest: SHA-256 of the file, 32 bytes.
        phash: 64-bit perceptual hash of the pixels, in [0, 2**64); None if the picture is too flat
            or too regular to be told from others like it.
    """

    digest: bytes
    phash: int | None


def fingerprint(data: bytes, image: np.ndarray) -> Fingerprint:
    """Return the fingerprint of one image.

    Args:
        data: the content of the file.
        image: its pixels, ndarray of shape (h, w, channels), uint8; BGR if there are three.
    """
    return take_fingerprints([data], [thumbnail(image)])[0]


def take_fingerprints(files: Sequence[bytes], thumbnails: Sequence[np.ndarray]) -> list[Fingerprint]:
    """Return the fingerprints of images: for many at once each costs half as much.

    The perceptual hash is pHash (C. Zauner, "Implementation and Benchmarking of Perceptual Image
    Hash Functions", 2010): which of the 64 lowest frequencies of the gray 32x32 picture, by its
    cosine transform, lie above their median.

    Args:
        files: the content of each file.
        thumbnails: what `thumbnail` made of each image.
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
    """Return the gray 32x32 picture that the hash is taken of, uint8; `fingerprint` says of what image."""
    lines = image[:: max(1, len(image) // _LINES)]  # enough for so small a picture
    gray = cv2.cvtColor(lines[..., :3], cv2.COLOR_BGR2GRAY) if image.shape[2] >= 3 else lines[..., 0]
    while min(gray.shape) >= 4 * _SIDE:  # halving first is five times as fast
        gray = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)


def find_duplicates(fingerprints: Sequence[Fingerprint], max_distance: int | None = MAX_DISTANCE) -> list[Group]:
    """Return the groups of rows that show the same picture.

    Rows of one group are linked by pairs whose files are equal, or whose hashes differ in at most
    ``max_distance`` bits; rows that are alone are left out. Not all pairs are compared: cut into
    d + k bands, hashes at a distance of d or less agree in k of them, so sorting by every choice
    of k bands brings them together (G. S. Manku and others, "Detecting Near-Duplicates for Web
    Crawling", WWW 2007). Only where more than 1,000 different hashes agree in such a choice are
    some of their pairs passed over.

    Args:
        max_distance: from 0 to 16; None asks for equal files only.

    Returns:
        Sorted lists of at least two row numbers, sorted by their first.

    Raises:
        UserError: ``max_distance`` is out of range.
    """
    if max_distance is not None and max_distance not in range(17):
        raise UserError(f"max_distance: must be a whole number from 0 to 16, or None; received {max_distance!r}")
    roots = np.arange(len(fingerprints))
    first: dict[bytes, int] = {}
    equal = np.array([first.setdefault(each.digest, row) for row, each in enumerate(fingerprints)], np.int64)
    roots = _join(roots, roots, equal)
    if max_distance is not None:
        rows = np.array([row for row, each in enumerate(fingerprints) if each.phash is not None], np.int64)
        hashes = np.array([each.phash for each in fingerprints if each.phash is not None], np.uint64)
        hashes, firsts, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        roots = _join(roots, rows, rows[firsts][inverse])
        for mask in _masks(len(hashes), max_distance):
            for a, b in _close_pairs(hashes, mask, max_distance):
                roots = _join(roots, rows[firsts[a]], rows[firsts[b]])
    order = np.argsort(roots, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(roots[order])) + 1)
    return [group.tolist() for group in groups if len(group) > 1]


def _join(roots: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Unite the groups of rows ``a[i]`` and ``b[i]``; ``roots`` names each row's group by its smallest row.

    Union-find on whole arrays, by hooking and shortcutting (Shiloach and Vishkin, 1982).
    """
    while (apart := roots[a] != roots[b]).any():
        a, b = a[apart], b[apart]
        roots = roots.copy()
        np.minimum.at(roots, np.maximum(roots[a], roots[b]), np.minimum(roots[a], roots[b]))
        while (roots != (shortcut := roots[roots])).any():
            roots = shortcut
    return roots


def _masks(n: int, distance: int) -> Iterator[np.uint64]:
    """Yield the bits by which to sort ``n`` hashes: every choice of k bands, for the k that costs least."""

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
        for _ in range(distance):  # each time the lowest bit that is left goes
            differing &= differing - np.uint64(1)
        close = left[differing == 0]
        yield order[close], order[close + step]


def across_splits(groups: Sequence[Group], splits: Mapping[str, np.ndarray]) -> list[dict[str, Group]]:
    """Return the groups that lie in more than one split: for each the rows of every split, by its name."""
    sets = {name: set(rows.tolist()) for name, rows in splits.items()}
    parts = ({name: [row for row in group if row in rows] for name, rows in sets.items()} for group in groups)
    present = ({name: rows for name, rows in part.items() if rows} for part in parts)
    return [part for part in present if len(part) > 1]


def conflicts(groups: Sequence[Group], labels: np.ndarray) -> list[Group]:
    """Return the groups whose rows do not all have the same of ``labels``, integers of shape (n,)."""
    return [group for group in groups if np.ptp(labels[group])]


def summary(groups: Sequence[Group], images: ImageFolder, splits: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return what there is to report of duplicates, by the images' paths, ready for JSON."""

    def names(rows: Sequence[int]) -> list[str]:
        return [images.paths[row] for row in rows]

    across = across_splits(groups, splits)
    return {
        "pictures": len(groups),
        "groups": [names(group) for group in groups],
        "across_splits": [{name: names(rows) for name, rows in parts.items()} for parts in across],
        "conflicts": [names(group) for group in conflicts(groups, images.labels)],
    }
