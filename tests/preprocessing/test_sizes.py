"""The sizes that preprocessors are told."""

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    CropPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)

CLASSES = [AspectAwarePreprocessor, CropPreprocessor, PatchPreprocessor, SimplePreprocessor]


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "8", None, True])
@pytest.mark.parametrize("argument", ["width", "height"])
@pytest.mark.parametrize("preprocessor", CLASSES)
def test_a_size_must_be_a_whole_number_of_pixels(preprocessor, argument, wrong):
    with pytest.raises(UserError, match=f"{argument}: must be a whole number of pixels, at least 1; received"):
        preprocessor(**{"width": 8, "height": 8, argument: wrong})


@pytest.mark.parametrize("preprocessor", CLASSES)
def test_numpy_s_whole_numbers_are_sizes(preprocessor):
    image = np.zeros((9, 9, 3), np.uint8)
    assert preprocessor(np.int64(4), np.int32(3)).preprocess(image).shape[-3:] == (3, 4, 3)
