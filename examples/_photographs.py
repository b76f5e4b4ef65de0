"""Packs photographs of a folder or a list into HDF5 for the tutorials on transfer learning, or draws a sample."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pyimagesearch.building.splitbuilder import SplitBuilder
from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_folder, label_from_name
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.decoding import Decoding, read_image
from pyimagesearch.io.images.folder import ImageFolder, check_classes
from pyimagesearch.preprocessing import AugmentPreprocessor, SimplePreprocessor
from pyimagesearch.samples.animals import LABELS, paint, scenery
from pyimagesearch.utils.atomic import check_output, replacing

SAMPLE = "sample"
_DRAWN = 40
"""Drawings of each class in the sample."""


def pack_photographs(
    data: str, folder: Path, size: int, seed: int, force: bool, *, test: float = 0.25, val: float = 0.0,
    classes: tuple[str, ...] = LABELS,
) -> dict[str, Path]:  # fmt: skip
    """Write ``train.hdf5``, ``test.hdf5`` and, if asked for, ``val.hdf5`` into ``folder``.

    Args:
        data: a folder of images with a folder for each class (below ``train`` and ``test``, in any case,
            if it has them), or named as Kaggle names cats and dogs; a CSV list of images; or "sample".
        size: width and height that images are stored with, in pixels.
        seed: of the splits and the drawings.
        force: replace existing files.
        test: share of all images that are for testing, where ``data`` has no such folder.
        val: share of the others that are for validation.
        classes: of the sample: "cat", "dog", and any other name for scenery without an animal.

    Returns:
        The path of each split, by its name.

    Raises:
        UserError: there are no such images, one cannot be read, a class has too few, or the files exist.
    """
    if not 0 <= seed < 2**32:
        raise UserError(f"--seed: must be a whole number from 0 to {2**32 - 1}; received {seed}")
    names = ("train", "val", "test") if val else ("train", "test")
    paths = {name: check_output(folder / f"{name}.hdf5", force, "--output") for name in names}
    source = _draw(folder / SAMPLE, classes, seed) if data == SAMPLE else Path(data)

    def label_of(path: str) -> str:
        return label_from_name(path) if Path(path).parent == source else label_from_folder(path)

    images = list_images(source, label_of)
    check_classes(images)
    builder = SplitBuilder(
        images, _split(images, test, val, seed), SimplePreprocessor(size, size), Decoding(3),
        encoding="jpeg", quality=95,
    )  # fmt: skip
    builder.build(paths, overwrite=force, resume=False)
    return paths


def read_inputs(paths: list[str], preparation: Any) -> np.ndarray:
    """Return photographs as the input of a network, float32 of shape (n, height, width, 3)."""
    inputs = []
    for path in paths:
        image = read_image(path, Decoding(3))
        for step in (preparation.resize(), *preparation.normalize("BGR")):
            image = step.preprocess(image)
        inputs.append(image)
    return np.stack(inputs)


def save_augmented(
    data: Path, folder: Path, count: int, augmentation: Mapping[str, Any], seed: int, force: bool
) -> list[Path]:
    """Write ``count`` training images as their first epoch shows them into ``folder``, and return their paths.

    Args:
        data: the HDF5 file of the training images.
        augmentation: arguments of `AugmentPreprocessor`.
        seed: of the training.
        force: replace existing files.
    """
    from pyimagesearch.io import HDF5DatasetGenerator

    aug, classes = AugmentPreprocessor(**augmentation), len(read_header(data).label_names)
    train = HDF5DatasetGenerator(data, count, [aug], classes=classes, shuffle=True, seed=seed, dtype="uint8")
    images = train[0][0]
    paths = [check_output(folder / f"{n}.png", force, "--save-augmented") for n in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        with replacing(path) as temporary:
            temporary.write_bytes(cv2.imencode(".png", image)[1])
    train.close()
    return paths


def _split(images: ImageFolder, test: float, val: float, seed: int) -> dict[str, np.ndarray]:
    from sklearn.model_selection import train_test_split

    def divide(rows: np.ndarray, share: float) -> list[np.ndarray]:
        try:
            return train_test_split(rows, test_size=share, stratify=images.labels[rows], random_state=seed)
        except ValueError as error:
            raise UserError(
                f"--data: {images.root} must hold enough images of each class for all sets; it holds {len(rows):,}, "
                f"the rarest class {np.bincount(images.labels[rows]).min():,} ({error}); add images"
            ) from error

    tops = np.array([Path(path).parts[0].lower() for path in images.paths])
    if set(tops) == {"train", "test"}:
        splits = {name: np.flatnonzero(tops == name) for name in ("train", "test")}
    else:
        splits = dict(zip(("train", "test"), divide(np.arange(len(tops)), test), strict=True))
    if val:
        splits["train"], splits["val"] = divide(splits["train"], val)
    return {name: np.sort(splits[name]) for name in ("train", "val", "test") if name in splits}


def _draw(folder: Path, classes: tuple[str, ...], seed: int) -> Path:
    for number, label in enumerate(classes):
        for index in range(_DRAWN):
            rng = np.random.default_rng([seed, number, index])
            image = paint(label, rng) if label in LABELS else scenery((200, 240), 140, rng)
            with replacing(folder / label / f"{index}.png") as temporary:
                temporary.write_bytes(cv2.imencode(".png", image)[1])
    return folder
