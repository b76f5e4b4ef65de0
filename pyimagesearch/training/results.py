"""What a training came to."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from pyimagesearch.callbacks.bestmodel import BestModel


def training_results(
    model: keras.Model,
    train: Any,
    validation: Any,
    best: BestModel,
    histories: Sequence[Mapping[str, Sequence[float | None]]],
) -> dict[str, Any]:
    """Return a training's figures as the run record keeps them.

    Args:
        model: the network.
        train: the `HDF5DatasetGenerator` that it was trained on.
        validation: the same for validation.
        best: the callback that knows the best epoch.
        histories: the curves, as `TrainingMonitor` and `TrainingSpeed` keep them.

    Returns:
        "val_accuracy" of the "best_epoch" (from 1), "epochs" trained in all, "training_images",
        "validation_images", "batch_size", "parameters" of the model, the "build" of the data, and the "history":
        for each metric and figure a list with one value an epoch.
    """
    history = {name: list(values) for curves in histories for name, values in curves.items()}
    return {
        "val_accuracy": best.accuracy,
        "best_epoch": best.epoch,
        "epochs": len(history["loss"]),
        "training_images": train.num_images,
        "validation_images": validation.num_images,
        "batch_size": train.batch_size,
        "parameters": model.count_params(),
        "build": train.loader.header.build,
        "history": history,
    }
