"""Keras callbacks: curves, speed, checkpoints, early stopping."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "BestModel": "bestmodel",
    "EarlyStop": "earlystop",
    "EpochCheckpoint": "epochcheckpoint",
    "TrainingCheckpoint": "trainingcheckpoint",
    "TrainingMonitor": "trainingmonitor",
    "TrainingSpeed": "trainingspeed",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
