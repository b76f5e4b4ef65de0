"""Labelled images by row number, whether they lie in files of their own or in an HDF5 file."""

import os
import threading
from typing import Any, Protocol

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.images.csvlist import is_image_list, list_images
from pyimagesearch.io.images.decoding import decode_image, read_files
from pyimagesearch.io.images.folder import ImageFolder, LabelFunction, build_mark, check_classes
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.utils.text import file_fingerprint


class ImageSource(Protocol):
    """Labelled images by row number.

    Attributes:
        labels: int64 ndarray of shape (n,).
        label_names: the classes' names.
        paths: where each image came from, or an empty list where nobody knows.
        identity: a mark of the images, their order and labels.
        stored_size: sides of the squares that they are stored as, in pixels; 0 if they are not.
        folder: the images, where each is a file of its own; else None.
    """

    labels: np.ndarray
    label_names: list[str]
    paths: list[str]
    identity: str
    stored_size: int
    folder: ImageFolder | None

    def read(self, rows: np.ndarray, resize: Any) -> np.ndarray:
        """Return images of shape (len(rows), h, w, 3), uint8, BGR, after ``resize.preprocess``."""
        ...

    def close(self) -> None:
        """Let go of files and threads."""
        ...


def open_images(path: str | os.PathLike[str], label_of: LabelFunction, threads: int) -> ImageSource:
    """Open a folder of images, a CSV list of them (see `io.imagelist`), or an HDF5 file of images.

    Folders and lists may be URLs (see `io.remote.remotefolder`).

    Args:
        label_of: the class of a file, by its path; for folders.
        threads: threads that read from an HDF5 file.

    Raises:
        UserError: it is none of them, or cannot be used.
    """
    if os.path.isfile(path) and not is_image_list(path):
        return _FromHDF5(path, threads)
    return _FromFiles(path, label_of)


def read_rows(images: ImageFolder, rows: np.ndarray, resize: Any) -> np.ndarray:
    """Return images of a folder as `ImageSource.read` does."""
    paths = [images.root / images.paths[row] for row in rows]
    files = zip(read_files(paths), paths, strict=True)
    return np.stack([resize.preprocess(decode_image(data, path)) for data, path in files])


class _FromFiles:
    stored_size = 0

    def __init__(self, path: str | os.PathLike[str], label_of: LabelFunction) -> None:
        images = list_images(path, label_of)
        check_classes(images)
        self.folder: ImageFolder | None = images
        self.paths, self.labels, self.label_names = images.paths, images.labels, images.label_names
        self.identity = build_mark(images, [np.arange(len(images.paths))], "")

    def read(self, rows: np.ndarray, resize: Any) -> np.ndarray:
        assert self.folder is not None
        return read_rows(self.folder, rows, resize)

    def close(self) -> None:
        self.folder, self.paths = None, []


class _FromHDF5:
    folder: ImageFolder | None = None

    def __init__(self, path: str | os.PathLike[str], threads: int) -> None:
        header = read_header(path)
        if header.shape[1:][2:] != (3,) or header.dtype != np.uint8:
            raise UserError(
                f"dataset: {os.fspath(path)} must hold images of shape (n, h, w, 3), uint8; it holds "
                f"{header.key} of shape {header.shape}, {header.dtype}; pass a file of the build step"
            )
        self._path, self._threads, self._color_order = path, threads, header.color_order
        self._loader: BatchLoader | None = None
        self._lock = threading.Lock()
        self.labels = header.labels
        self.label_names = header.label_names or [str(c) for c in range(header.labels.max() + 1)]
        self.paths = read_row_paths(header)
        self.identity, self.stored_size = file_fingerprint(path), header.stored_size

    def read(self, rows: np.ndarray, resize: Any) -> np.ndarray:
        with self._lock:
            if self._loader is None:
                self._loader = BatchLoader(self._path, 1, [resize], dtype="uint8", threads=self._threads)
        images = self._loader.images(0, rows)
        return images if self._color_order == "BGR" else images[..., ::-1]

    def close(self) -> None:
        if self._loader is not None:
            self._loader.close()
