"""Put the channel axis of an image where Keras expects it."""

from collections.abc import Sequence

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing.imagechecks import check_image
from pyimagesearch.utils.booknames import accepts_book_names


class ImageToArrayPreprocessor:
    """Put the channels where Keras expects them.

    Args:
        data_format: "channels_last", "channels_first", or None for the setting of the user's
            ``keras.json``, which is read when the first image comes.
    """

    @accepts_book_names
    def __init__(self, data_format: str | None = None) -> None:
        if data_format not in (None, "channels_last", "channels_first"):
            raise UserError(f'data_format: must be "channels_last", "channels_first" or None; received {data_format!r}')
        self.data_format = data_format

    def preprocess(self, image: np.ndarray) -> np.ndarray:
        """Return the image as (h, w, channels) or (channels, h, w), of its own dtype.

        Args:
            image: ndarray of shape (h, w), for which a channel axis is made, (h, w, channels), or
                (n, h, w, channels) for a stack of images.

        Raises:
            UserError: ``image`` is no image.
        """
        if getattr(image, "ndim", 0) != 4:
            check_image(image, "ImageToArrayPreprocessor")
        return self.transform(image, (), None)

    def transform(self, image: np.ndarray, numbers: Sequence[float], out: np.ndarray | None) -> np.ndarray:
        """Do the same as `preprocess`, unchecked; ``numbers`` and ``out`` are not used."""
        if image.ndim == 2:
            image = image[:, :, None]
        if self.data_format is None:
            import keras

            self.data_format = keras.config.image_data_format()
        return image if self.data_format == "channels_last" else np.moveaxis(image, -1, -3)
