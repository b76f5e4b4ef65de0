"""Settings of the Dogs vs. Cats project. For data of your own, copy this file, or write one that begins

    from config.dogs_vs_cats_config import *

and states what differs. Paths are relative to the folder that the scripts are run from.
"""

from pyimagesearch.io import label_from_folder, label_from_name  # noqa: F401

# The images, and how a file's path gives its class: label_from_name reads "cat" from cat.0.jpg,
# label_from_folder reads it from cat/0.jpg.
IMAGES_PATH = "datasets/kaggle_dogs_vs_cats/train"
LABEL_OF = label_from_name

# Images for validation and test: counts, fractions of all images, or the folders that hold them.
NUM_VAL_IMAGES = 0.1
NUM_TEST_IMAGES = 0.1

# Images are stored STORED_SIZE pixels square, in colour (3 channels) or gray (1); the network sees
# patches of INPUT_SIZE.
STORED_SIZE = 256
CHANNELS = 3
INPUT_SIZE = 227

# Accepted image files: formats by their content, and a limit that refuses decompression bombs.
IMAGE_FORMATS = ("jpeg", "png", "gif", "bmp", "tiff", "webp")
MAX_IMAGE_PIXELS = 2**27

# The scripts write everything into this folder. To put a file elsewhere, set one of
#   TRAIN_HDF5       train.hdf5          MODEL_PATH       alexnet.keras
#   VAL_HDF5         val.hdf5            LAST_MODEL_PATH  alexnet_last.keras
#   TEST_HDF5        test.hdf5           FEATURES_HDF5    features.hdf5
#   DATASET_MEAN     mean.json           CLASSIFIER_PATH  classifier.skops
# as TEST_HDF5 = "elsewhere/test.hdf5"; a setting that is not there means the file beside it, in OUTPUT_PATH.
OUTPUT_PATH = "output/dogs_vs_cats"

BATCH_SIZE = 128
EPOCHS = 75
SEED = 42

# The learning rate falls to 0 at the last epoch: "linear", or "cosine", which may first rise from 0
# over WARM_UP_EPOCHS; None keeps it constant.
LEARNING_RATE = 1e-3
LEARNING_RATE_DECAY = "linear"
WARM_UP_EPOCHS = 0

# What keeps the network from learning the images by heart: L2 regularization of its weights as in
# the book, decoupled weight decay (AdamW), dropout, and labels that are not quite certain.
REGULARIZATION = 0.0002
WEIGHT_DECAY = 0.0
DROPOUT = 0.5
LABEL_SMOOTHING = 0.0

# "balanced": images of rare classes count more, in networks and classifiers, so that all classes count alike.
CLASS_WEIGHT = None

# The network's arithmetic: "float32", "mixed_bfloat16", or "auto" for the faster one that the
# hardware computes in.
PRECISION = "auto"

# How often training saves a state to resume from, besides the end of every epoch; None for never.
# Files are as large as three copies of the network.
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
