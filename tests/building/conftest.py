import cv2
import numpy as np
import pytest

from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.folder import list_image_folder

SIZE = 16


@pytest.fixture
def folder(tmp_path, rng):
    """Twelve images of different sizes; the last one has the size that is stored."""
    (tmp_path / "images").mkdir()
    for i in range(12):
        height, width = (SIZE, SIZE) if i == 11 else (20 + i, 40 - i)
        pixels = cv2.resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (width, height))
        name = f"{'cat' if i % 3 else 'dog'}.{i:02}.{'png' if i % 2 == 0 else 'jpg'}"
        cv2.imwrite(str(tmp_path / "images" / name), pixels)
    return tmp_path / "images"


@pytest.fixture
def images(folder):
    return list_image_folder(folder, label_from_name)


@pytest.fixture
def pixels(images):
    """The rows that the images become, ndarray of shape (12, 16, 16, 3)."""
    from pyimagesearch.preprocessing import SimplePreprocessor

    resize = SimplePreprocessor(SIZE, SIZE)
    return np.stack([resize.preprocess(cv2.imread(str(images.root / path))) for path in images.paths])
