import cv2
import numpy as np
import pytest

from pyimagesearch.samples.animals import LABELS, paint
from tests.explore.datasets import write


@pytest.fixture
def folder(tmp_path):
    """Eight cats and four dogs of 140 x 150 pixels."""
    for number in range(12):
        label = LABELS[number % 3 == 0]
        image = cv2.resize(paint(label, np.random.default_rng(number)), (150, 140))
        write(tmp_path / f"pets/{label}/{number}.jpg", image)
    return tmp_path / "pets"
