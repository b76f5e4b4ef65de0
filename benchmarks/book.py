"""The chapter's way, re-typed for today's libraries: the rival of most questions.

Nothing is made slower than the chapter makes it. What is gone from Keras 3 is replaced by its nearest
relative: ``np_utils.to_categorical`` by ``keras.utils.to_categorical``, ``keras.preprocessing.image`` by
``tensorflow.keras.preprocessing.image``. Mistakes that change speed or bytes stay: 8-bit pixels stored as
h5py's "float", which has 64 bits, rows collected in Python lists, everything on one thread.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import imutils
import numpy as np
from sklearn.feature_extraction.image import extract_patches_2d


class BookWriter:
    """The chapter's HDF5DatasetWriter."""

    def __init__(self, dims: Sequence[int], path: Path, data_key: str = "images", buf_size: int = 1000) -> None:
        self.db = h5py.File(path, "w")
        self.data = self.db.create_dataset(data_key, dims, dtype="float")
        self.labels = self.db.create_dataset("labels", (dims[0],), dtype="int")
        self.buf_size = buf_size
        self.buffer: dict[str, list] = {"data": [], "labels": []}
        self.idx = 0

    def add(self, rows: Sequence[np.ndarray], labels: Sequence[int]) -> None:
        self.buffer["data"].extend(rows)
        self.buffer["labels"].extend(labels)
        if len(self.buffer["data"]) >= self.buf_size:
            self.flush()

    def flush(self) -> None:
        i = self.idx + len(self.buffer["data"])
        self.data[self.idx : i] = self.buffer["data"]
        self.labels[self.idx : i] = self.buffer["labels"]
        self.idx = i
        self.buffer = {"data": [], "labels": []}

    def close(self) -> None:
        if self.buffer["data"]:
            self.flush()
        self.db.close()


class BookAspectAware:
    """Resize along the shorter side, cut the longer one, and resize once more for the odd pixel."""

    def __init__(self, width: int, height: int, inter: int = cv2.INTER_AREA) -> None:
        self.width, self.height, self.inter = width, height, inter

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        h, w = image.shape[:2]
        dh = dw = 0
        if w < h:
            image = imutils.resize(image, width=self.width, inter=self.inter)
            dh = int((image.shape[0] - self.height) / 2.0)
        else:
            image = imutils.resize(image, height=self.height, inter=self.inter)
            dw = int((image.shape[1] - self.width) / 2.0)
        h, w = image.shape[:2]
        image = image[dh : h - dh, dw : w - dw]
        return cv2.resize(image, (self.width, self.height), interpolation=self.inter)


class BookPatch:
    """A random patch, by scikit-learn."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        return extract_patches_2d(image, (self.height, self.width), max_patches=1)[0]


class BookMean:
    """Subtract the mean of each channel."""

    def __init__(self, r_mean: float, g_mean: float, b_mean: float) -> None:
        self.r_mean, self.g_mean, self.b_mean = r_mean, g_mean, b_mean

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        b, g, r = cv2.split(image.astype("float32"))
        r -= self.r_mean
        g -= self.g_mean
        b -= self.b_mean
        return cv2.merge([b, g, r])


class BookImageToArray:
    """Keras's image to array."""

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        from keras.utils import img_to_array

        return img_to_array(image)


class BookGenerator:
    """The chapter's HDF5DatasetGenerator: no shuffling, one thread, lists of images."""

    def __init__(
        self,
        path: Path,
        batch_size: int,
        preprocessors: Sequence[Any] | None = None,
        aug: Any = None,
        binarize: bool = True,
        classes: int = 2,
    ) -> None:
        self.batch_size, self.preprocessors, self.aug = batch_size, preprocessors, aug
        self.binarize, self.classes = binarize, classes
        self.db = h5py.File(path, "r")
        self.num_images = self.db["labels"].shape[0]

    def generator(self, passes: float = np.inf) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        from keras.utils import to_categorical

        epochs = 0
        while epochs < passes:
            for i in np.arange(0, self.num_images, self.batch_size):
                images = self.db["images"][i : i + self.batch_size]
                labels = self.db["labels"][i : i + self.batch_size]
                if self.binarize:
                    labels = to_categorical(labels, self.classes)
                if self.preprocessors is not None:
                    processed = []
                    for image in images:
                        for p in self.preprocessors:
                            image = p.preprocess(image)
                        processed.append(image)
                    images = np.array(processed)
                if self.aug is not None:
                    images, labels = next(self.aug.flow(images, labels, batch_size=self.batch_size))
                yield images, labels
            epochs += 1


def book_augmentation(**ranges: Any) -> Any:
    """Return the chapter's ``ImageDataGenerator``; it needs TensorFlow and SciPy."""
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    return ImageDataGenerator(**ranges)


def build(root: Path, paths: Sequence[str], labels: Sequence[int], output: Path, size: int) -> None:
    """Pack images as the chapter's build script does: one after the other."""
    resize = BookAspectAware(size, size)
    writer = BookWriter((len(paths), size, size, 3), output)
    for path, label in zip(paths, labels, strict=True):
        image = resize.preprocess(cv2.imread(str(root / path)))
        writer.add([image], [label])
    writer.close()
