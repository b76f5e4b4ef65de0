"""The one place that imports TensorFlow: for people who have ``tf.data`` pipelines."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf


def as_tf_dataset(generator: Any) -> tf.data.Dataset:
    """Return an `HDF5DatasetGenerator` as a dataset of batches, one epoch long, that prefetches.

    Each pass over it is the generator's next epoch.
    """

    def epoch() -> Iterator[Any]:
        generator.on_epoch_begin()
        for index in range(len(generator)):
            yield generator[index]

    signature = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in generator[0])
    dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(generator))).prefetch(tf.data.AUTOTUNE)
