"""Does extracting features keep the network busy: `extract_features` against ``predict_on_batch`` alone?

The rival gets one prepared batch, which is in memory already, over and over. Ours decodes, resizes and scales
the photographs, shuffles them, and writes the features to a file. Without a GPU both are work for the same
processors, so a small network cannot have them for itself: for the MobileNets the speed is compared with what
is possible, which is that of doing all the network's and all the preparation's work and nothing else.
The last lines compare precisions, in memory.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator

import numpy as np

from pyimagesearch.features.extraction import Batch, FeatureExtraction
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.features.imagesource import open_images
from pyimagesearch.io import HDF5DatasetWriter, label_from_name
from pyimagesearch.nn.backbones import load_backbone
from pyimagesearch.utils.parallel import OneOpenCVThread, map_ahead

from . import _data, _measure

_BATCH = 32


def write_features(model: FeatureExtractor, batches: Iterator[Batch], dataset: HDF5DatasetWriter) -> None:
    """Write features as the script does."""
    for batch in batches:
        dataset.add(model.predict(batch.images), batch.labels, batch.paths)


def extraction(where: _data.Setup, extractor: FeatureExtractor, dataset: str, count: int) -> _measure.Stream:
    """Make a stream of extractions of ``count`` images each."""
    images = open_images(dataset, label_from_name, _measure.cpus())
    order = np.random.default_rng(0).permutation(len(images.labels))[:count]

    def extract() -> int:
        whole = FeatureExtraction(extractor, images, order, batch_size=_BATCH)
        whole.run(write_features, where.work / "features.hdf5", overwrite=True)
        return len(order)

    return _measure.repeat(extract)


def preparation(where: _data.Setup, extractor: FeatureExtractor, dataset: str, count: int) -> _measure.Stream:
    """Make a stream of what goes before the network, on all processors; its results are dropped."""
    threads = _measure.cpus()
    images = open_images(dataset, label_from_name, threads)
    order = np.random.default_rng(0).permutation(len(images.labels))[:count]
    blocks = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]

    def prepare(rows: np.ndarray) -> int:
        return len(extractor.prepare(images.read(rows, extractor.resize))[0])

    return _measure.repeat(lambda: sum(map_ahead(prepare, blocks, threads, threads + 1)))


def ask(where: _data.Setup, name: str, alpha: float | None, count: int) -> None:
    """Race for the features of a network, of ``count`` images in each round."""
    extractor = FeatureExtractor.from_names(name, "none", alpha=alpha)
    model = load_backbone(name, "none", alpha)
    rng = np.random.default_rng(0)
    batch = rng.uniform(-1, 1, (_BATCH, 224, 224, 3)).astype(np.float32)

    def in_memory() -> int:
        for _ in range(count // _BATCH):
            model.predict_on_batch(batch)
        return count

    bare, title = "predict_on_batch in memory", name if alpha is None else f"{name} {alpha}"
    sources = {"photographs": str(where.images), "HDF5": str(_data.raw_file(where))}
    sides = {bare: _measure.repeat(in_memory)}
    for source, dataset in sources.items():
        sides[f"from {source}"] = extraction(where, extractor, dataset, count)
        sides[f"preparation from {source}"] = preparation(where, extractor, dataset, count)
    speeds = _measure.race(sides, min(where.rounds, 5), seconds=0)
    for source in sources:
        question, side = f"features of {title} from {source}", f"from {source}"
        if alpha is None:
            _measure.report(f"{question}: share of predict_on_batch", speeds, side, bare, bar=0.95)
            continue
        _measure.report(f"{question}: share of predict_on_batch", speeds, side, bare)
        works = zip(speeds[bare], speeds[f"preparation from {source}"], strict=True)
        speeds[f"all work from {source}"] = [1 / (1 / network + 1 / prepared) for network, prepared in works]
        _measure.report(f"{question}: share of what is possible", speeds, side, f"all work from {source}", bar=0.95)


def ask_precision(where: _data.Setup, name: str) -> None:
    """Race mixed_bfloat16 against float32, on a batch in memory."""
    sides = {}
    for precision in ("float32", "mixed_bfloat16"):
        extractor = FeatureExtractor.from_names(name, "none", precision=precision)
        pixels = np.random.default_rng(0).integers(0, 256, (_BATCH, *extractor.resize.shape), np.uint8)
        inputs = extractor.prepare(pixels)
        sides[precision] = _measure.repeat(lambda e=extractor, x=inputs: len(e.predict(x)))
    speeds = _measure.race(sides, min(where.rounds, 5))
    _measure.report(f"features of {name}: mixed_bfloat16", speeds, "mixed_bfloat16", "float32")


def main() -> None:
    with _data.setup(__doc__) as where, OneOpenCVThread():
        ask(where, "resnet50", None, 128)
        ask(where, "mobilenet", 0.75, 512)
        ask(where, "mobilenet", 0.25, 1024)
        ask_precision(where, "mobilenet")
        ask_precision(where, "resnet50")


if __name__ == "__main__":
    main()
