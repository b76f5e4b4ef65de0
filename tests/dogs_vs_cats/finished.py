"""Questions to a finished project."""

from pathlib import Path

import cv2
import h5py

SPLITS = {"train": 24, "val": 8, "test": 8}


def read(path: Path) -> dict:
    """Return all of an HDF5 file that says what its rows are."""
    with h5py.File(path) as file:
        content = {name: file[name][:] for name in file if name not in ("paths", "label_names")}
        for name in ("paths", "label_names"):
            content[name] = file[name].asstr()[:].tolist()
        content["attributes"] = dict(file.attrs)
    return content


def best_epoch(history: dict[str, list[float]]) -> int:
    """Return the number, from 0, of the epoch with the highest accuracy; of several, that of the lowest loss."""
    scores = [(a, -loss) for a, loss in zip(history["val_accuracy"], history["val_loss"], strict=True)]
    return scores.index(max(scores))


def is_picture(path: Path) -> bool:
    image = cv2.imread(str(path))
    return image is not None and min(image.shape[:2]) > 100 and image.std() > 1
