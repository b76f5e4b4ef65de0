"""Data of the benchmarks: photographs, and HDF5 files made of them, in a folder that is removed afterwards."""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import h5py
import numpy as np

from pyimagesearch.building.packing import pack
from pyimagesearch.cluster.tasks import Work
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.io.images.folder import ImageFolder, label_from_name, list_image_folder
from pyimagesearch.preprocessing import AspectAwarePreprocessor

from ._measure import cpus

STORED, INPUT, BATCH = 256, 227, 64
MEANS = (124.0, 116.0, 106.0)  # R, G, B: about those of the photographs
AUGMENTATION = {
    "rotation_range": 20, "zoom_range": 0.15, "width_shift_range": 0.2, "height_shift_range": 0.2,
    "shear_range": 0.15, "horizontal_flip": True, "fill_mode": "nearest",
}  # fmt: skip

_PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "dogs_vs_cats" / "train"
_DRAWN = 600


class Setup(NamedTuple):
    """Folders of a benchmark: its images, and one to write to."""

    work: Path
    images: Path
    rounds: int


@contextlib.contextmanager
def setup(description: str | None) -> Iterator[Setup]:
    """Parse the command line; give a working folder that lasts as long as the block."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--images", type=Path, help="folder of photographs named cat.0.jpg, dog.0.jpg, ...")
    parser.add_argument("--work", type=Path, help="folder for data sets, kept; a temporary one by default")
    parser.add_argument("--rounds", type=int, default=7, help="how often the sides take turns")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        work = args.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        work.mkdir(parents=True, exist_ok=True)
        yield Setup(work, _images(args.images, work), args.rounds)


def _images(given: Path | None, work: Path) -> Path:
    if given is not None:
        return given
    return _PHOTOGRAPHS if _PHOTOGRAPHS.is_dir() else _draw(work / "photographs")


def _draw(folder: Path) -> Path:
    """Draw images that cost a decoder what photographs do: smooth noise in many sizes, and some grain."""
    if folder.is_dir():
        return folder
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(_DRAWN):
        h, w = rng.integers(300, 450), rng.integers(300, 500)
        image = np.zeros((h, w, 3), np.float32)
        for size, strength in ((3, 60), (12, 30), (48, 14), (150, 8)):
            noise = rng.normal(0, strength, (size, size, 3)).astype(np.float32)
            image += cv2.resize(noise, (int(w), int(h)), interpolation=cv2.INTER_CUBIC)
        image += 120 + rng.normal(0, 4, image.shape)
        pixels = image.clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{'cat' if i % 2 else 'dog'}.{i}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return folder


def photographs(where: Setup, count: int | None = None) -> ImageFolder:
    """List the photographs: all, or ``count`` of them, evenly from all classes."""
    images = list_image_folder(where.images, label_from_name)
    n = len(images.paths)
    chosen = np.linspace(0, n - 1, min(count or n, n)).astype(int)
    return images.subset(chosen)


def pack_images(images: ImageFolder, path: Path, size: int = STORED, **writer_options: Any) -> Path:
    """Build a data set of ``size`` x ``size`` images as the build step does, fingerprints of duplicates included."""
    with HDF5DatasetWriter((len(images.paths), size, size, 3), path, overwrite=True, **writer_options) as writer:
        writer.store_class_labels(images.label_names)
        pack(images, writer, AspectAwarePreprocessor(size, size), work=Work(cpus()), fingerprints=[])
    return path


def raw_file(where: Setup, size: int = STORED, count: int = 2000) -> Path:
    """Return a raw uint8 data set of the photographs; it is built once in a working folder."""
    path = where.work / f"raw-{size}-{count}.hdf5"
    return path if path.exists() else pack_images(photographs(where, count), path, size)


def jpeg_file(where: Setup, size: int = STORED, count: int = 2000) -> Path | None:
    """Return the same as JPEG of quality 90, or None where this version has no such encoding."""
    path = where.work / f"jpeg-{size}-{count}.hdf5"
    try:
        options: dict[str, Any] = {"encoding": "jpeg", "quality": 90}
        return path if path.exists() else pack_images(photographs(where, count), path, size, **options)
    except TypeError:
        return None


def map_images(path: Path) -> np.ndarray:
    """Map the images of a contiguous data set, without this package's reader."""
    with h5py.File(path) as file:
        images = file["images"]
        return np.memmap(path, images.dtype, "r", images.id.get_offset(), images.shape).view(np.ndarray)
