"""Montages of the images of a survey."""

import os
import re
import unicodedata
from collections.abc import Sequence

import cv2
import imutils
import numpy as np

from pyimagesearch.explore.survey import Survey
from pyimagesearch.utils.atomic import replacing
from pyimagesearch.utils.thumbnails import thumbnail

SIDE = 128
"""Width and height of a thumbnail in pixels."""

_ACROSS = 6
_MONTAGE = 36  # images of a class
_PAIRS = 24
_RED, _GRAY = (0, 0, 220), (90, 90, 90)
_NAME_LETTERS = 40


def montage_names(label_names: Sequence[str]) -> list[str]:
    """Return a distinct file name for the montage of every class, safe on every system."""
    taken: set[str] = set()
    names = []
    for label in label_names:
        stem = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", label)).strip("_")[:_NAME_LETTERS] or "class"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.casefold())
        names.append(f"montage_{name}.png")
    return names


def shown_classes(labels: np.ndarray, most: int) -> list[int]:
    """Return up to ``most`` classes that have images: the most common ones, then the rarest."""
    counts = np.bincount(labels)
    order = [label for label in np.argsort(-counts, kind="stable").tolist() if counts[label]]
    if len(order) <= most:
        return order
    return order[: (most + 1) // 2] + order[len(order) - most // 2 :]


def draw_class(survey: Survey, label: int, seed: int, path: str | os.PathLike[str]) -> bool:
    """Draw a random sample of a class; return whether there was anything to draw.

    Args:
        label: the class.
        seed: the same one gives the same sample.
    """
    members = survey.readable[survey.images.labels[survey.readable] == label]
    chosen = np.random.default_rng([seed, label]).permutation(members)[:_MONTAGE]
    tiles = [_tile(survey, index) for index in np.sort(chosen).tolist()]
    if tiles:
        _save(tiles, path)
    return bool(tiles)


def draw_duplicates(survey: Survey, path: str | os.PathLike[str]) -> bool:
    """Draw pairs of duplicates; return whether there are any.

    Pairs with different labels come first and are framed in red, then near duplicates, then equal files.
    """
    labels, looks = survey.images.labels, survey.looks
    wrong = {index for group in survey.conflicts for index in group}
    groups = survey.conflicts + [group for group in survey.near + survey.exact if not wrong & set(group)]
    tiles = []
    for first, *others in groups[:_PAIRS]:
        other = max(
            others,
            key=lambda index: (
                labels[index] != labels[first],
                looks[index].fingerprint.digest != looks[first].fingerprint.digest,
            ),
        )
        pair = np.hstack([_tile(survey, index, caption=True) for index in (first, other)])
        colour = _RED if labels[first] != labels[other] else _GRAY
        tiles.append(cv2.rectangle(pair, (0, 0), (pair.shape[1] - 1, pair.shape[0] - 1), colour, 2))
    if tiles:
        _save(tiles, path)
    return bool(tiles)


def _tile(survey: Survey, index: int, caption: bool = False) -> np.ndarray:
    """Return an image in the middle of a square, ndarray of shape (SIDE, SIDE, 3), uint8."""
    tile = np.full((SIDE, SIDE, 3), 32, np.uint8)
    image = survey.images.picture(index)
    if image is not None:  # the file may be gone since the survey
        small = thumbnail(image, SIDE)
        height, width = small.shape[:2]
        left, top = (SIDE - width) // 2, (SIDE - height) // 2
        tile[top : top + height, left : left + width] = small
    if caption:
        name = os.path.basename(survey.images.paths[index]).encode("ascii", "replace").decode()[-20:]
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(tile, name, (5, SIDE - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, thickness, cv2.LINE_AA)
    return tile


def _save(tiles: Sequence[np.ndarray], path: str | os.PathLike[str]) -> None:
    height, width = tiles[0].shape[:2]
    across = min(len(tiles), _ACROSS * SIDE // width)
    down = -(-len(tiles) // across)
    (montage,) = imutils.build_montages(tiles, (width, height), (across, down))
    with replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", montage)[1].tobytes())
