"""Settings of the Dogs vs. Cats project. For data of your own, copy this file, or write one that begins

    from config.dogs_vs_cats_config import *

and states what differs. Paths are relative to the folder that the scripts are run from.
"""

from pyimagesearch.io import label_from_folder, label_from_name  # noqa: F401

# The images, and how a file's path gives its class: label_from_name reads "cat" from cat.0.jpg,
# label_from_folder reads it from cat/0.jpg.
IMAGES_PATH = "datasets/kaggle_dogs_vs_cats/train"
LABEL_OF = label_from_name

# The columns of a CSV list, where their names do not tell; and whether to take an image whose name nearly fits
# (case, slashes, suffix).
FILE_COLUMN = LABEL_COLUMN = None
NEAR_NAMES = False

# Images for validation and test: counts, fractions of all images, or the folders that hold them. Splits that
# folders (train, val, test) or a column of a list give are kept; SPLIT_COLUMN names it where its cells do not tell.
NUM_VAL_IMAGES = 0.1
NUM_TEST_IMAGES = 0.1
KEEP_SPLITS = True
SPLIT_COLUMN = None

# Images of one group (a patient, a video) stay in one split: a column of a list, or a function of the path.
GROUP_COLUMN = GROUP_OF = None

# Classes of fewer images are left out.
MIN_IMAGES_PER_CLASS = 0

# Images are stored STORED_SIZE pixels square, in colour (3 channels) or gray (1); the network sees
# patches of INPUT_SIZE.
# The longer sides are cut off ("crop"), the shorter ones filled up ("pad"), or the aspect ratio ignored ("stretch").
STORED_SIZE = 256
FIT = "crop"
CHANNELS = 3
INPUT_SIZE = 227

# Accepted image files: formats by their content, and a limit that refuses decompression bombs. MAX_VALUE is the value
# of 16-bit images that becomes 255, such as 4095 for 12 bits; None for 65535.
IMAGE_FORMATS = ("jpeg", "png", "gif", "bmp", "tiff", "webp", "heif", "avif")
MAX_IMAGE_PIXELS = 2**27
MAX_VALUE = None

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
