"""Packs large labelled image folders into HDF5 and trains Keras models from them at full speed."""

__version__ = "0.1.0"
