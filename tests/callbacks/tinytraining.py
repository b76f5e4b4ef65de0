"""A training of a few batches."""

import time

import keras

from pyimagesearch.nn.modelfile import Position
from pyimagesearch.training.fit import fit_from

ROWS, BATCH = 22, 4
BATCHES = 6
FIGURES = ["seconds", "images_per_second", "waiting"]


def fit(model, train, validation, callbacks, epochs=2, start=None):
    fit_from(model, train, validation, epochs, start or Position(), callbacks, verbose=0)


class Times(keras.callbacks.Callback):
    """Counts the batches and sleeps after each."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds, self.count = seconds, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        time.sleep(self.seconds)
