"""Images as the network is fed: training images as they were in the first epochs of the run, and ten crops of one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.randomness import DrawnNumbers, uniforms
from pyimagesearch.io.format.dataset import check_images, read_header
from pyimagesearch.io.format.header import Header
from pyimagesearch.io.reading.rows import open_rows
from pyimagesearch.preprocessing import (
    AugmentPreprocessor,
    CropPreprocessor,
    NormalizePreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.preprocessing.croppreprocessor import size_around
from pyimagesearch.report.pictures import SIDE, Picture, picture
from pyimagesearch.runs.provenance import Project

_IMAGES = 4
_EPOCHS = 3
CROPS = ("top left", "top right", "bottom right", "bottom left", "centre")


@dataclass(frozen=True)
class Stages:
    """An image on its way into the network, each ndarray of shape (h, w, channels).

    Attributes:
        stored: as it is in the data file.
        patch: cut out of it in the first epoch.
        augmented: patches as they were augmented in the first epochs.
        normalized: the first of these without the mean, float32.
    """

    stored: np.ndarray
    patch: np.ndarray
    augmented: list[np.ndarray]
    normalized: np.ndarray


class Feed:
    """Repeats what `HDF5DatasetGenerator` made of training images: the same random numbers give the same pixels.

    Args:
        settings: of the run: INPUT_SIZE, AUGMENTATION and SEED.
        means: of each colour.
        color_order: of the data file.
    """

    def __init__(self, settings: dict[str, Any], means: dict[str, float], color_order: str = "BGR") -> None:
        self.size, self.seed = settings["INPUT_SIZE"], settings["SEED"]
        self._patch = PatchPreprocessor(self.size, self.size)
        self._augment = AugmentPreprocessor.from_settings(settings["AUGMENTATION"])
        self._normalize = NormalizePreprocessor(means, dict.fromkeys("RGB", 1.0), color_order, color_order)

    def stages(self, image: np.ndarray, row: int, epochs: int = _EPOCHS) -> Stages:
        """Return the stages of the image at a row of the training file."""
        draws = self._patch.draws + self._augment.draws
        patches, augmented = [], []
        for epoch in range(epochs):
            numbers = DrawnNumbers(uniforms(self.seed, epoch, np.array([row]), draws)[0].tolist())
            patches.append(np.ascontiguousarray(self._patch.preprocess(image, numbers)))
            augmented.append(self._augment.preprocess(patches[-1], numbers))
        return Stages(image, patches[0], augmented, self._normalize.preprocess(augmented[0]))

    def crops(self, image: np.ndarray) -> np.ndarray:
        """Return the ten crops of an image as ``crop_accuracy`` cuts them, of shape (10, size, size, channels)."""
        if min(image.shape[:2]) < self.size:
            image = SimplePreprocessor(*size_around(self.size, self.size)).preprocess(image)
        return CropPreprocessor(self.size, self.size).preprocess(image)


def feeding(project: Project) -> dict[str, Any] | str:
    """Return what the template ``feeding`` shows, or why there is nothing to show."""
    settings, means = project.settings("train", "build"), project.results("build").get("means")
    if not means or not {"INPUT_SIZE", "AUGMENTATION", "SEED", "TRAIN_HDF5"} <= settings.keys():
        return "No build is in the record, so it is not known what the network is fed."
    try:
        header = read_header(settings["TRAIN_HDF5"])
        check_images(header)
        if header.build != project.results("build").get("build", header.build):
            return f"{header.path} is not of the build in the record; build the data set again to see its images here."
        feed = Feed(settings, means, header.color_order)
        return _shown(feed, header) | {"settings": settings, "size": feed.size, "stored": header.shape[1:3]}
    except UserError as error:
        return f"The training images cannot be shown: {error}."


def _shown(feed: Feed, header: Header) -> dict[str, Any]:
    rng = np.random.default_rng(feed.seed)
    classes = np.unique(header.labels)
    picked = [int(rng.choice(np.flatnonzero(header.labels == classes[n % len(classes)]))) for n in range(_IMAGES)]
    numbers = list(dict.fromkeys(picked))
    rows = open_rows(header)
    try:
        images = [np.array(image) for image in rows.read(numbers)]
    finally:
        rows.close()
    images = [image if image.dtype == np.uint8 else image.clip(0, 255).astype(np.uint8) for image in images]
    names = [f"image {n}, {_name(header, row)}" for n, row in enumerate(numbers, 1)]
    table = [_cells(feed.stages(image, row), name, header) for image, row, name in zip(images, numbers, names,
                                                                                      strict=True)]  # fmt: skip
    places = [*CROPS, *(f"{place}, mirrored" for place in CROPS)]
    crops = [
        (place, picture(_bgr(crop, header), f"{names[0]}, crop: {place}"))
        for place, crop in zip(places, feed.crops(images[0]), strict=True)
    ]
    return {
        "rows": table,
        "crops": crops,
        "cropped": picture(_bgr(images[0], header), f"{names[0]}, as it is stored"),
    }


def _cells(stages: Stages, name: str, header: Header) -> list[tuple[str, Picture]]:
    views = [("stored", stages.stored), ("patch", stages.patch), ("augmented", stages.augmented[0])]
    views.append(("mean subtracted", _centred(stages.normalized)))
    views += [(f"epoch {epoch + 1}", image) for epoch, image in enumerate(stages.augmented) if epoch]
    scale = SIDE / max(stages.stored.shape[:2])  # the same for all: a patch is smaller than what it is cut out of
    return [
        (kind, picture(_bgr(image, header), f"{name}, {kind}", round(scale * max(image.shape[:2]))))
        for kind, image in views
    ]


def _centred(image: np.ndarray) -> np.ndarray:
    """Return pixels around zero as uint8 with zero as middle gray; what does not fit is clipped."""
    return np.rint(image + 128).clip(0, 255).astype(np.uint8)


def _bgr(image: np.ndarray, header: Header) -> np.ndarray:
    return image[..., ::-1] if header.color_order == "RGB" and image.shape[-1] == 3 else image


def _name(header: Header, row: int) -> str:
    label = int(header.labels[row])
    return header.label_names[label] if label < len(header.label_names) else f"class {label}"
