"""Is it this bird? Two classes of your own, told apart by a new head on a frozen MobileNet."""

from config.policy_config import *  # noqa: F403

IMAGES_PATH = "datasets/birds"
OUTPUT_PATH = "output/birds"
MODEL_PATH = "output/birds/fine_tuned.keras"

HEAD_EPOCHS, FINE_TUNE_EPOCHS = 10, 0
