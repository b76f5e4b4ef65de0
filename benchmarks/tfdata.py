"""How fast is tf.data on the same machine, from uncompressed pixels in TFRecord files?

tf.data gets what its documentation advises: parallel map with AUTOTUNE, the shuffle buffer holding
every record, prefetching, Keras's layers on whole batches rather than on single images.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # Keras's layers inside tf.data are TensorFlow's

import keras
import tensorflow as tf

from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

from . import _data, _measure
from ._data import AUGMENTATION, BATCH, INPUT, STORED
from .generator import ours

_AHEAD = 6
_ROTATION = AUGMENTATION["rotation_range"] / 360
_SHIFT, _ZOOM = AUGMENTATION["height_shift_range"], AUGMENTATION["zoom_range"]


def write_records(images: Any, path: Path) -> None:
    """Write pixels and labels as TFRecords, uncompressed."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for i, image in enumerate(images):
            features = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[i % 2])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def parse(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    features = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
    example = tf.io.parse_single_example(record, features)
    image = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), (STORED, STORED, 3))
    return image, example["label"]


def crop(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.image.random_crop(image, (INPUT, INPUT, 3)), label


def crop_and_flip(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.image.random_flip_left_right(crop(image, label)[0]), label


def augmentation() -> keras.Sequential:
    """Return the layers that do what the chapter's augmentation does; shear is 0.15 of a degree there."""
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(_ROTATION, fill_mode="nearest"),
            keras.layers.RandomTranslation(_SHIFT, _SHIFT, fill_mode="nearest"),
            keras.layers.RandomZoom(_ZOOM, _ZOOM, fill_mode="nearest"),
            keras.layers.RandomShear(0.0026, 0.0, fill_mode="nearest"),
        ]
    )


def pipeline(path: Path, count: int, per_image: Any, per_batch: Any = None) -> _measure.Stream:
    """Return shuffled epochs of a tf.data pipeline."""

    def items() -> Iterator[int]:
        records = tf.data.TFRecordDataset(str(path)).shuffle(count).repeat()
        images = records.map(lambda r: per_image(*parse(r)), num_parallel_calls=tf.data.AUTOTUNE)
        batches = images.batch(BATCH)
        if per_batch is not None:
            layers = per_batch()
            batches = batches.map(lambda x, y: (layers(x, training=True), y), tf.data.AUTOTUNE)
        for images, _ in batches.prefetch(2):
            yield len(images)

    return _measure.Stream(items(), _AHEAD)


def main() -> None:
    with _data.setup(__doc__) as where:
        raw = _data.raw_file(where)
        images, records = _data.map_images(raw), where.work / "images.tfrecord"
        write_records(images, records)
        patch = PatchPreprocessor(INPUT, INPUT)
        augment, flip = AugmentPreprocessor(**AUGMENTATION), AugmentPreprocessor(horizontal_flip=True)

        sides = {
            "augmented, uint8": ours(raw, [patch, augment], "uint8"),
            "tf.data + Keras layers": pipeline(records, len(images), crop, augmentation),
        }
        speeds = _measure.race(sides, min(where.rounds, 5))
        _measure.report("augmented: against tf.data", speeds, *sides, bar=20)

        sides = {
            "crop + flip, uint8": ours(raw, [patch, flip], "uint8"),
            "tf.data, crop + flip": pipeline(records, len(images), crop_and_flip),
        }
        speeds = _measure.race(sides, where.rounds)
        _measure.report("crop + flip: against tf.data", speeds, *sides, bar=6)
        records.unlink()


if __name__ == "__main__":
    main()
