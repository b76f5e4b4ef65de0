"""Read labelled images by index, from files of their own or from an HDF5 file."""

import abc
import logging
import os
import threading
from typing import Any, Self

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.images.csvlist import is_image_list, list_images
from pyimagesearch.io.images.decoding import ANY_COLOUR_IMAGE, Decoding, decode_image, read_files
from pyimagesearch.io.images.folder import ImageFolder, LabelFunction, build_mark, check_classes
from pyimagesearch.io.reading.columns import read_row_paths
from pyimagesearch.utils.atomic import PathLike
from pyimagesearch.utils.parallel import cpu_count
from pyimagesearch.utils.text import file_digest


class ImageSource(abc.ABC):
    """Labelled images, read by index; a context manager.

    Attributes:
        path: the folder, list or file that they come from.
        labels: int64 ndarray of shape (n,).
        label_names: names of the classes.
        paths: the origin of each image; empty if unknown.
        identity: a fingerprint of the images, their order and labels.
        stored_size: side in pixels of the squares that they are stored as; 0 for files of their own.
        fit: how images were made such squares (see `preprocessing.fitting`).
        folder: the image files; None for an HDF5 file.
        gray: whether they are gray, read as three equal channels.
    """

    path: PathLike
    labels: np.ndarray
    label_names: list[str]
    paths: list[str]
    identity: str
    stored_size: int = 0
    fit: str = "crop"
    folder: ImageFolder | None = None
    gray: bool = False

    @abc.abstractmethod
    def read(self, indices: np.ndarray, resize: Any) -> np.ndarray:
        """Return images of shape (len(indices), h, w, 3), uint8, BGR, after ``resize.preprocess``."""

    def close(self) -> None:
        """Release files and threads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_images(
    path: PathLike,
    label_of: LabelFunction,
    threads: int | None = None,
    decoding: Decoding = ANY_COLOUR_IMAGE,
    **listing: Any,
) -> ImageSource:
    """Open a folder of images, a CSV list of them (see `io.images.csvlist`), or an HDF5 file of images.

    Folders and lists may be URLs (see `io.images.remotefolder`).

    Args:
        label_of: returns the class of a file, given its path; for folders.
        threads: threads that read from an HDF5 file; all processors if None.
        decoding: rules for image files, of three channels, or of one: then all become gray.
        listing: arguments of `list_images`, for folders and lists.

    Raises:
        UserError: the path is none of these, or cannot be used.
    """
    if os.path.isfile(path) and not is_image_list(path):
        source: ImageSource = ImageRows(path, threads)
    else:
        images = list_images(path, label_of, **listing)
        check_classes(images)
        source = ImageFiles(images, path, decoding)
    if source.gray:
        logging.getLogger(__name__).info("%s: gray images, as three equal channels", os.fspath(path))
    return source


def in_colour(image: np.ndarray) -> np.ndarray:
    """Return images of shape (..., 3): those of shape (..., 1) get three equal channels."""
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image


class _Resize:
    """Resizes an image of one or three channels to three."""

    def __init__(self, resize: Any) -> None:
        self._resize = resize

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        result: np.ndarray = self._resize.preprocess(in_colour(image))
        return result


class ImageFiles(ImageSource):
    """Images that are files of their own.

    Args:
        folder: the files.
        path: where they were listed.
        decoding: rules for them.
    """

    def __init__(self, folder: ImageFolder, path: PathLike, decoding: Decoding = ANY_COLOUR_IMAGE) -> None:
        self.folder, self.path, self.decoding = folder, path, decoding
        self.paths, self.labels, self.label_names = folder.paths, folder.labels, folder.label_names
        self.gray = decoding.channels == 1
        decoded = f"{decoding.max_value or ''}{' gray' if self.gray else ''}"
        self.identity = build_mark(folder, [np.arange(len(folder.paths))], decoded)

    def read(self, indices: np.ndarray, resize: Any) -> np.ndarray:
        """Return images as `ImageSource.read` does."""
        assert self.folder is not None
        paths = [self.folder.root / self.paths[index] for index in indices]
        files = zip(read_files(paths), paths, strict=True)
        images = (in_colour(decode_image(data, path, self.decoding)) for data, path in files)
        return np.stack([resize.preprocess(image) for image in images])


class ImageRows(ImageSource):
    """Images of an HDF5 file.

    Args:
        path: the file.
        threads: threads that read; all processors if None.
    """

    def __init__(self, path: PathLike, threads: int | None = None) -> None:
        header = read_header(path)
        if header.shape[3:] not in ((1,), (3,)) or header.dtype != np.uint8:
            raise UserError(
                f"dataset: {os.fspath(path)} must hold images of shape (n, h, w, 3) or (n, h, w, 1), uint8; it holds "
                f"{header.key} of shape {header.shape}, {header.dtype}; pass a file of the build step"
            )
        self.path, self._threads, self._color_order = path, threads or cpu_count(), header.color_order
        self.gray = header.shape[3] == 1
        self._loader: BatchLoader | None = None
        self._lock = threading.Lock()
        self.labels = header.labels
        self.label_names = header.label_names or [str(c) for c in range(header.labels.max() + 1)]
        self.paths = read_row_paths(header)
        self.identity, self.stored_size, self.fit = file_digest(path), header.stored_size, header.fit

    def read(self, indices: np.ndarray, resize: Any) -> np.ndarray:
        """Return images as `ImageSource.read` does."""
        with self._lock:
            if self._loader is None:
                self._loader = BatchLoader(self.path, 1, [_Resize(resize)], dtype="uint8", threads=self._threads)
        images = self._loader.images(0, indices)
        return images if self._color_order == "BGR" else images[..., ::-1]

    def close(self) -> None:
        """Release the file and its threads."""
        if self._loader is not None:
            self._loader.close()
