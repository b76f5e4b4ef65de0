import cv2
import numpy as np
import pytest

from tests.io.writing.written import N


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (N, 5, 4, 3), np.uint8)


@pytest.fixture
def photos(rng):
    """Images that JPEG keeps well."""
    return np.stack([cv2.resize(small, (40, 32)) for small in rng.integers(0, 256, (N, 4, 5, 3), np.uint8)])
