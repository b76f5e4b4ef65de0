import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing import ImageToArrayPreprocessor


@pytest.mark.parametrize("axes", [(2, 0, 1), (0, 3, 1, 2)], ids=["an image", "a stack of crops"])
def test_channels_go_first_when_asked(axes, rng):
    image = rng.integers(0, 256, (2, 5, 6, 3)[-len(axes) :], np.uint8)
    result = ImageToArrayPreprocessor("channels_first").preprocess(image)
    np.testing.assert_array_equal(result, image.transpose(axes))


@pytest.mark.parametrize("shape", [(5, 6, 3), (2, 5, 6, 3)])
def test_channels_last_is_how_opencv_has_them(shape, rng):
    image = rng.integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(ImageToArrayPreprocessor("channels_last").preprocess(image), image)


@pytest.mark.parametrize(("setting", "shape"), [("channels_last", (5, 6, 3)), ("channels_first", (3, 5, 6))])
def test_none_follows_the_setting_of_keras(setting, shape):
    import keras

    before = keras.config.image_data_format()
    keras.config.set_image_data_format(setting)
    try:
        assert ImageToArrayPreprocessor().preprocess(np.zeros((5, 6, 3))).shape == shape
    finally:
        keras.config.set_image_data_format(before)


def test_the_book_s_keyword_is_accepted():
    result = ImageToArrayPreprocessor(dataFormat="channels_first").preprocess(np.zeros((5, 6, 3)))
    assert result.shape == (3, 5, 6)


def test_an_unknown_format_is_refused():
    with pytest.raises(UserError, match=r"data_format: must be \"channels_last\", .* received 'NHWC'"):
        ImageToArrayPreprocessor("NHWC")
