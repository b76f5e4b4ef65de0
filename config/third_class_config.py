"""Cat, dog or a third class of your own: a single layer on a frozen MobileNet."""

from config.dogs_vs_cats_config import *  # noqa: F403

IMAGES_PATH = "output/third_class/sample"
NUM_TEST_IMAGES = 0.25
OUTPUT_PATH = "output/third_class"
MODEL_PATH = "output/third_class/fine_tuned.keras"
AUGMENTATION = {
    "rotation_range": 20, "width_shift_range": 0.1, "height_shift_range": 0.1, "zoom_range": 0.1,
    "horizontal_flip": True,
}  # fmt: skip

NETWORK, NETWORK_ALPHA = "mobilenet", 0.75
HEAD_DROPOUT = 0.4
HEAD_EPOCHS, FINE_TUNE_EPOCHS = 5, 0
