"""CIFAR-10 by transfer: the first three blocks of VGG16, frozen, with a small head."""

from config.dogs_vs_cats_config import *  # noqa: F403

# Packed by examples.cifar10_from_scratch. Test images show the progress, so they may not choose the model: the last
# one is tested.
TRAIN_HDF5 = "output/cifar10/train.hdf5"
VAL_HDF5 = TEST_HDF5 = "output/cifar10/test.hdf5"
OUTPUT_PATH = "output/cifar10_transfer"
MODEL_PATH = "output/cifar10_transfer/fine_tuned_last.keras"
AUGMENTATION = {}

NETWORK, NETWORK_SIZE, NETWORK_LAYER = "vgg16", 48, "block3_pool"
HEAD, HEAD_DROPOUT, HEAD_BATCH_NORM = (64, 64), 0.6, True
HEAD_EPOCHS, FINE_TUNE_EPOCHS = 25, 0
