"""Image files of a folder or a CSV list, as the survey sees them."""

import os
from collections import Counter

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.explore.look import Look, colours, decode_small, look_at
from pyimagesearch.explore.oddities import find_oddities
from pyimagesearch.io.images.csvlist import is_image_list, list_images
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, read_file
from pyimagesearch.io.images.folder import EXTENSIONS, LabelFunction
from pyimagesearch.io.images.header import image_format


class ImageFiles:
    """Image files with labels.

    Args:
        path: a folder, or a CSV file.
        label_of: the class of a file, by its path; for folders.
        decoding: what is wanted of the files.

    Attributes:
        labels: int64 ndarray of shape (n,).
        label_names: the classes' names.
        paths: the files, relative to their folder.
        other_files: how many files lie in the folder that are not listed, by suffix; ``._*`` are those in which
            a Mac keeps notes on other files.

    Raises:
        UserError: the path names no labelled images.
    """

    def __init__(self, path: str | os.PathLike[str], label_of: LabelFunction, decoding: Decoding) -> None:
        images = list_images(path, label_of)
        self._root, self._decoding = images.root, decoding
        self.paths, self.labels, self.label_names = images.paths, images.labels, images.label_names
        self.other_files = {} if is_image_list(path) else _other_files(images.root)

    def look(self, row: int) -> Look | str:
        """Return the look of the image at ``row``, or why it cannot be read; any thread may call this."""
        path = self._root / self.paths[row]
        try:
            data = read_file(path)
            image = decode_small(data, os.fspath(path), self._decoding)
        except UnreadableImageError as error:
            return error.reason
        size, oddities = find_oddities(data, self.paths[row])
        width, height = size or (image.shape[1], image.shape[0])
        return look_at(data, image, width, height, image_format(data) or "unknown", oddities)

    def picture(self, row: int) -> np.ndarray | None:
        """Return the image at ``row``, perhaps reduced, of shape (h, w, 3 or 1), uint8, BGR; None if unreadable."""
        path = self._root / self.paths[row]
        try:
            return colours(decode_small(read_file(path), os.fspath(path), self._decoding))
        except UserError:
            return None


def _other_files(root: os.PathLike[str]) -> dict[str, int]:
    suffixes = Counter(
        "._*" if name.startswith("._") else os.path.splitext(name)[1].lower() or "without suffix"
        for _, _, names in os.walk(root)
        for name in names
        if name.startswith("._") or not name.lower().endswith(EXTENSIONS)
    )
    return dict(suffixes.most_common())
