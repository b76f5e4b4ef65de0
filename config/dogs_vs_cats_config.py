"""Settings of the Dogs vs. Cats project; copy this file for data of your own.

Paths are relative to the folder that the scripts are run from.
"""

from pyimagesearch.io import label_from_folder, label_from_name  # noqa: F401

# The images, and how a file's path gives its class: label_from_name reads "cat" from cat.0.jpg,
# label_from_folder reads it from cat/0.jpg.
IMAGES_PATH = "datasets/kaggle_dogs_vs_cats/train"
LABEL_OF = label_from_name

# How many images validate and test the network: counts, or fractions of all images.
NUM_VAL_IMAGES = 0.1
NUM_TEST_IMAGES = 0.1

# Images are stored STORED_SIZE pixels square, in colour (3 channels) or gray (1); the network sees
# patches of INPUT_SIZE.
STORED_SIZE = 256
CHANNELS = 3

# What image files may be: formats by their content, and a limit that refuses decompression bombs.
IMAGE_FORMATS = ("jpeg", "png", "gif", "bmp", "tiff", "webp")
MAX_IMAGE_PIXELS = 2**27
INPUT_SIZE = 227

OUTPUT_PATH = "output/dogs_vs_cats"
TRAIN_HDF5 = f"{OUTPUT_PATH}/train.hdf5"
VAL_HDF5 = f"{OUTPUT_PATH}/val.hdf5"
TEST_HDF5 = f"{OUTPUT_PATH}/test.hdf5"
DATASET_MEAN = f"{OUTPUT_PATH}/mean.json"
MODEL_PATH = f"{OUTPUT_PATH}/alexnet.keras"
LAST_MODEL_PATH = f"{OUTPUT_PATH}/alexnet_last.keras"
FEATURES_HDF5 = f"{OUTPUT_PATH}/features.hdf5"
CLASSIFIER_PATH = f"{OUTPUT_PATH}/classifier.skops"

BATCH_SIZE = 128
EPOCHS = 75
LEARNING_RATE = 1e-3
LEARNING_RATE_DECAY = "linear"  # to 0 at the last epoch; "none" keeps it constant
REGULARIZATION = 0.0002
SEED = 42

# How often training saves a state that --resume goes on from, besides the end of every epoch; None
# for never. Files are as large as three copies of the network.
CHECKPOINT_MINUTES = 10
CHECKPOINT_BATCHES = None

# Arguments of AugmentPreprocessor; angles are in degrees.
AUGMENTATION = {
    "rotation_range": 20,
    "zoom_range": 0.15,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 0.15,
    "horizontal_flip": True,
    "fill_mode": "nearest",
}
