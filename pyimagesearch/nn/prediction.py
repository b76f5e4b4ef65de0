"""Predictions for every row of a data set, averaged over the crops of an image where there are any."""

from typing import Any

import keras
import numpy as np

from pyimagesearch.utils.progress import progress


def predict(model: keras.Model, generator: Any, label: str = "Predicting") -> np.ndarray:
    """Return a row of probabilities for each row of a data set, in the order of the file, each row once.

    The next batch is prepared while the model works. If ``generator`` has a `CropPreprocessor` among
    its preprocessors, all crops of a batch go through the model in one call, and each image gets the
    mean of its crops' probabilities (Krizhevsky et al., 2012, section 4.1).

    Args:
        generator: an `HDF5DatasetGenerator`. If it shuffles, its rows are put back in the order of its ``labels``,
            which Keras's own ``predict`` does not do.
        label: what the progress bar says.

    Returns:
        ndarray of shape (n, classes), float32.
    """
    scores: list[np.ndarray] = []
    batches = (generator[i][0] for i in range(len(generator)))
    for images in progress(batches, generator.num_images, label, generator.batch_size):
        crops = images.shape[1] if images.ndim == 5 else 1
        inputs = images.reshape(-1, *images.shape[2:]) if images.ndim == 5 else images
        outputs = np.asarray(model.predict_on_batch(inputs))
        scores.append(outputs.reshape(len(images), crops, -1).mean(axis=1))
    rows = np.concatenate([generator.loader.rows(generator.epoch, i) for i in range(len(generator))])
    return np.concatenate(scores)[np.argsort(rows, kind="stable")]
