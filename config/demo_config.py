"""The Dogs vs. Cats project at a size that a processor without a GPU trains in minutes."""

from config.dogs_vs_cats_config import *  # noqa: F403

IMAGES_PATH = "output/sample/train"
NUM_TEST_IMAGES = 0.25

STORED_SIZE = 108
INPUT_SIZE = 96

OUTPUT_PATH = "output/demo"
TRAIN_HDF5 = f"{OUTPUT_PATH}/train.hdf5"
VAL_HDF5 = f"{OUTPUT_PATH}/val.hdf5"
TEST_HDF5 = f"{OUTPUT_PATH}/test.hdf5"
DATASET_MEAN = f"{OUTPUT_PATH}/mean.json"
MODEL_PATH = f"{OUTPUT_PATH}/alexnet.keras"
LAST_MODEL_PATH = f"{OUTPUT_PATH}/alexnet_last.keras"
FEATURES_HDF5 = f"{OUTPUT_PATH}/features.hdf5"
CLASSIFIER_PATH = f"{OUTPUT_PATH}/classifier.skops"

BATCH_SIZE = 32
EPOCHS = 8
AUGMENTATION = {"horizontal_flip": True, "rotation_range": 10, "zoom_range": 0.1}
