"""A training of a few batches, for tests of what follows it."""

import time

import keras

from pyimagesearch.callbacks import BestModel
from pyimagesearch.nn.modelfile import Position
from pyimagesearch.training.fit import fit_from

ROWS, BATCH = 22, 4
BATCHES = 6
FIGURES = ["seconds", "images_per_second", "waiting"]


def fit(model, train, validation, callbacks, epochs=2, start=None):
    fit_from(model, train, validation, epochs, start or Position(), callbacks, verbose=0)


def best_model():
    return BestModel("best.keras", lambda *_: None)


class Times(keras.callbacks.Callback):
    """Counts the batches and sleeps after each."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds, self.count = seconds, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        time.sleep(self.seconds)
