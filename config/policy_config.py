"""Policy recognition: two kinds of photographs, one of which is allowed, told apart by a fine-tuned MobileNet."""

from config.dogs_vs_cats_config import *  # noqa: F403
from pyimagesearch.io import label_from_folder

IMAGES_PATH = "datasets/policy"
LABEL_OF = label_from_folder
NUM_TEST_IMAGES = 0.25
OUTPUT_PATH = "output/policy"
MODEL_PATH = "output/policy/fine_tuned.keras"
AUGMENTATION = {}

NETWORK, NETWORK_ALPHA = "mobilenet", 0.75
HEAD = (1024, 1024, 512)
HEAD_EPOCHS, FINE_TUNE_EPOCHS = 1, 4
FREEZE, FINE_TUNE_RATE = 20, 1e-4
