"""Versions of the libraries that can change the bytes of a row."""

import json
import platform

import h5py
import numpy as np

import pyimagesearch


def library_versions() -> str:
    """Return the versions as a JSON object, by library."""
    import cv2

    versions = {
        "pyimagesearch": pyimagesearch.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
        "opencv": cv2.__version__,
    }
    return json.dumps(versions)
