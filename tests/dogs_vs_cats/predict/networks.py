"""Networks of a few numbers, to predict with."""

import keras

from pyimagesearch.nn.modelfile import Position, Preparation, save_model

STORED, SIZE = 36, 32
MEANS, DEVIATIONS = {"R": 130.0, "G": 120.0, "B": 110.0}, {"R": 60.0, "G": 50.0, "B": 40.0}


def save_network(
    path, label_names=("cat", "dog"), channels=3, activation="softmax", order="BGR", stored_size=0, fit="crop"
):
    keras.utils.set_random_seed(len(label_names))
    layers = [
        keras.Input((SIZE, SIZE, channels)),
        keras.layers.AveragePooling2D(8),
        keras.layers.Flatten(),
        keras.layers.Dense(len(label_names), activation=activation),
    ]
    preparation = Preparation(SIZE, SIZE, order, MEANS, list(label_names), DEVIATIONS, stored_size=stored_size, fit=fit)
    save_model(keras.Sequential(layers), path, preparation, Position())
