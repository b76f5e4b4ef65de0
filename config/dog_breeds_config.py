"""Dog breeds: 120 classes by a frozen InceptionV3 and a head of two layers."""

from config.dogs_vs_cats_config import *  # noqa: F403

IMAGES_PATH = "datasets/dog_breeds/labels.csv"
NUM_TEST_IMAGES = 0.3
NUM_VAL_IMAGES = 0.105  # 15% of the others
STORED_SIZE = 320
OUTPUT_PATH = "output/dog_breeds"
MODEL_PATH = "output/dog_breeds/fine_tuned.keras"
AUGMENTATION = {"rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 0.2, "horizontal_flip": True}

NETWORK = "inceptionv3"
HEAD = (512, 512)
HEAD_EPOCHS, FINE_TUNE_EPOCHS = 15, 0
