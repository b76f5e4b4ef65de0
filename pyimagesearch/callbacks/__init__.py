"""Keras callbacks: curves, speed, checkpoints, and what follows a training live."""

from pyimagesearch.utils.lazy import lazy_exports

_HOMES = {
    "BestModel": "bestmodel",
    "EarlyStop": "earlystop",
    "EpochCheckpoint": "epochcheckpoint",
    "LivePage": "livepage",
    "TrainingCheckpoint": "trainingcheckpoint",
    "TrainingMonitor": "trainingmonitor",
    "TrainingSpeed": "trainingspeed",
    "followers": "following",
}
__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
