"""The Dogs vs. Cats project at a size that a processor without a GPU trains in minutes."""

from config.dogs_vs_cats_config import *  # noqa: F403

IMAGES_PATH = "output/sample/train"
NUM_TEST_IMAGES = 0.25

STORED_SIZE = 108
INPUT_SIZE = 96

OUTPUT_PATH = "output/demo"

BATCH_SIZE = 32
EPOCHS = 8
AUGMENTATION = {"horizontal_flip": True, "rotation_range": 10, "zoom_range": 0.1}
