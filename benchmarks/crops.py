"""Does ten-crop evaluation keep the model busy: `predict` against crops that are already in memory?

``model.predict`` gets the crops as one array, in the batches that `predict` uses and in its own default
of 32; the faster of the two is the rival.
"""

import os
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.nn.prediction import predict
from pyimagesearch.preprocessing import CropPreprocessor, MeanPreprocessor

from . import _data, _measure


def ask(where: _data.Setup, size: int, stored: int, count: int, batch: int) -> None:
    """Race for crops of ``size`` pixels from ``count`` images of ``stored`` pixels."""
    path = _data.raw_file(where, stored, count)
    model = AlexNet.build(size, size, 3, 2)
    steps = [CropPreprocessor(size, size), MeanPreprocessor(*_data.MEANS)]
    data = HDF5DatasetGenerator(path, batch, steps)
    crops = np.concatenate([data[i][0] for i in range(len(data))]).reshape(-1, size, size, 3)

    def in_memory(batch_size: int) -> _measure.Stream:
        return _measure.repeat(lambda: len(model.predict(crops, batch_size=batch_size, verbose=0)) // 10)

    ours, large = f"crops from the file, {size} px", f"model.predict, {10 * batch} crops at once"
    small = "model.predict, 32 crops at once"
    sides = {
        ours: _measure.repeat(lambda: len(predict(model, data, "crops"))),
        large: in_memory(10 * batch),
        small: in_memory(32),
    }
    speeds = _measure.race(sides, min(where.rounds, 5), seconds=0)
    fastest = max(large, small, key=lambda side: median(speeds[side]))
    _measure.report(f"ten crops of {size} px: share of model.predict", speeds, ours, fastest, bar=0.9)
    data.close()


def main() -> None:
    with _data.setup(__doc__) as where:
        ask(where, size=96, stored=108, count=96, batch=24)
        ask(where, size=227, stored=256, count=20, batch=5)


if __name__ == "__main__":
    main()
