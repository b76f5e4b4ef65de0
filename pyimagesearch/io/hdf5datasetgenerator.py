"""Feed Keras from an HDF5 data set."""

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import h5py
import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.batching.share import Share
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.format.header import open_file
from pyimagesearch.utils.booknames import accepts_book_names
from pyimagesearch.utils.text import classes_in_words


class HDF5DatasetGenerator(keras.utils.PyDataset):
    """Batches of an HDF5 data set for ``fit``, ``evaluate`` and ``predict``.

    ``generator[i]`` depends on ``i`` and `epoch` alone. Every epoch of ``fit`` advances `epoch`, and
    visits every row once. Pass ``shuffle=False`` to ``fit``: otherwise Keras shuffles the order of
    the batches again, by a random state of its own. On JAX, Keras begins one more epoch, to learn the
    shapes, in the first ``fit`` of a process: set `epoch` in a callback where that matters.

    Args:
        db_path: the HDF5 file.
        batch_size: rows in a batch; the last batch of an epoch may be shorter.
        preprocessors: objects with ``preprocess(image)``, run in order on every image.
        aug: an `AugmentPreprocessor`, run after the preprocessors, or an object with Keras's old
            ``flow``.
        binarize: return labels as one-hot rows, float32 of shape (batch, classes), instead of
            class indexes, int64 of shape (batch,).
        classes: number of classes.
        shuffle: visit the rows in another order each epoch.
        seed: seed of the order and of the random numbers of preprocessors.
        dtype: "float32" or "uint8": dtype of the images of a batch.
        threads: threads that preprocess; all processors by default.
        class_weight: "balanced" (n / (classes * count of the class)), or a weight for each class:
            batches then carry sample weights.
        share: the place of a process that trains together with others: it gets its own, equal share of every batch.
        **choices: for a file of another program, where its rows are and how they are stored, as far as that is not
            plain: ``images="x", labels="y", color_order="RGB", scale="0..1"`` and others of
            `io.foreign.plan.Choices`.

    Raises:
        UserError: an argument breaks a rule, or the file cannot be used.
    """

    @accepts_book_names
    def __init__(
        self,
        db_path: str | os.PathLike[str],
        batch_size: int,
        preprocessors: Sequence[Any] | None = None,
        aug: Any = None,
        binarize: bool = True,
        classes: int = 2,
        *,
        shuffle: bool = False,
        seed: int = 0,
        dtype: str = "float32",
        threads: int | None = None,
        class_weight: str | Mapping[int, float] | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
        **choices: Any,
    ) -> None:
        super().__init__(workers=1)
        self.preprocessors = list(preprocessors or ())
        self._flow = None if aug is None or hasattr(aug, "preprocess") else aug
        if self._flow is not None and not hasattr(aug, "flow"):
            raise UserError(f"aug: must have a method preprocess or flow; received {aug!r}")
        steps = self.preprocessors + ([aug] if aug is not None and self._flow is None else [])
        self.loader = BatchLoader(
            db_path, batch_size, steps, shuffle=shuffle, seed=seed, dtype=dtype, threads=threads, share=share,
            choices=Choices(**choices),
        )  # fmt: skip
        self.batch_size, self.binarize, self.classes = batch_size, binarize, classes
        if self.labels.max() >= classes:
            raise UserError(
                f"classes: must exceed every label of {os.fspath(db_path)}, and the largest is "
                f"{self.labels.max()}; received {classes}; pass classes={self.labels.max() + 1}"
            )
        self._weights = _weights(class_weight, self.labels, classes)
        self._db: h5py.File | None = None
        self.epoch = 0

    def __repr__(self) -> str:
        header, shape = self.loader.header, self.loader.image_shape
        rows = f"{self.num_images:,} rows in {len(self):,} batches of {self.batch_size} x {shape}, {self.loader.dtype}"
        order = f"shuffled, seed {self.loader.seed}" if self.loader.shuffle else "in the order of the file"
        order += f"; {header.color_order}" if header.shape[3:] == (3,) else ""
        classes = classes_in_words(header.label_names, self.classes)
        return f"<HDF5DatasetGenerator {header.path}: {rows}; {classes}; {order}>"

    @property
    def epoch(self) -> int:
        """The epoch whose batches `__getitem__` gives; set it to continue an earlier run."""
        return self._epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._epoch = self._next_epoch = int(value)

    @property
    def labels(self) -> np.ndarray:
        """All labels in the order of the file, int64 of shape (n,)."""
        return self.loader.header.labels

    @property
    def label_names(self) -> list[str]:
        """The names of the classes, where the file has them."""
        return self.loader.header.label_names

    @property
    def num_images(self) -> int:
        """Rows in the file."""
        return self.loader.num_rows

    numImages = num_images  # noqa: N815 - the book's name

    @property
    def db(self) -> h5py.File:
        """The open HDF5 file, for reading."""
        if self._db is None:
            self._db = open_file(self.loader.header.path)
        return self._db

    def __len__(self) -> int:
        """Batches in an epoch: the ceiling of rows / batch size, unless several processes share them."""
        return len(self.loader)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return batch ``index`` of the current epoch.

        Returns:
            (images, labels), or (images, labels, sample weights) if there are class weights;
            images of shape (batch, ...) as the preprocessors leave them.
        """
        return self._batch(self.epoch, index)

    def generator(self, passes: float = math.inf) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield the batches of ``passes`` epochs, from the current one on, as the book's class does."""
        epochs = itertools.count(self.epoch)
        for epoch in epochs if passes == math.inf else itertools.islice(epochs, int(passes)):
            for index in range(len(self)):
                yield self._batch(epoch, index)

    def as_tf_dataset(self) -> Any:
        """Return the batches as a ``tf.data.Dataset``, one epoch long; each pass over it is the next epoch."""
        import tensorflow as tf

        def epoch() -> Iterator[Any]:
            self.on_epoch_begin()
            for index in range(len(self)):
                yield self[index]

        signature = tuple(tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in self[0])
        dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(tf.data.AUTOTUNE)

    def on_epoch_begin(self) -> None:
        """Advance to the next epoch; Keras calls this."""
        self._epoch = self._next_epoch
        self._next_epoch += 1

    def close(self) -> None:
        """Close the file, which is opened again when it is needed; closing twice is harmless."""
        self.loader.close()
        if self._db is not None:
            self._db.close()
            self._db = None

    def _batch(self, epoch: int, index: int) -> tuple[np.ndarray, ...]:
        rows, images = self.loader.indexed_batch(epoch, index)
        classes = self.labels[rows]
        labels = np.eye(self.classes, dtype=np.float32)[classes] if self.binarize else classes
        if self._flow is not None:
            seed = hash((self.loader.seed, epoch, index)) % 2**31
            flow = self._flow.flow(images, batch_size=len(images), shuffle=False, seed=seed)
            images = next(flow)
        if self._weights is None:
            return images, labels
        return images, labels, self._weights[classes]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_db": None}


def _weights(class_weight: str | Mapping[int, float] | None, labels: np.ndarray, classes: int) -> np.ndarray | None:
    if class_weight is None:
        return None
    if class_weight == "balanced":
        counts = np.bincount(labels, minlength=classes)
        return (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)
    if not isinstance(class_weight, Mapping) or set(class_weight) != set(range(classes)):
        raise UserError(
            f'class_weight: must be "balanced" or a weight for each class 0..{classes - 1}; received {class_weight!r}'
        )
    return np.array([class_weight[c] for c in range(classes)], np.float32)
