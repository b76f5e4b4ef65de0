"""Grad-CAM: where in an image a convolutional network sees a class."""

from typing import Any

import cv2
import keras
import numpy as np
from scipy.special import logsumexp

from pyimagesearch.errors import UserError
from pyimagesearch.nn.flatnetwork import FlatNetwork

_STEP = 0.01
_BATCH_BYTES = 2**24
_MOST_MAPS = 256


class GradCAM:
    """Heat maps of the evidence for a class.

    Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    2017) weighs each channel of the last feature maps by the derivative of the class's score, summed over the map's
    positions, and shows where the weighted sum is positive. This class differs in two ways, without which one of two
    classes often has empty maps:

    * The score is the class's log-odds: its column less the logarithm of the sum of the others' exponentials. A
      column alone has no meaning, as a softmax is unchanged where all columns rise alike. For two classes the score
      is their difference. Where a sigmoid gives each class its own probability, the column is the log-odds already.
    * Channels with evidence against the class are left out, as in Grad-CAM++ (Chattopadhyay et al., "Grad-CAM++:
      Improved Visual Explanations for Deep Convolutional Networks", 2018, which keeps positive derivatives only). A
      network of two classes may recognise one by its features and the other mostly by their absence; the features
      would outweigh the little evidence for the other everywhere.

    Keras has no gradient function for all backends. But the sum over a channel's positions is the derivative in
    one direction, in which all of them rise together, and a central difference quotient gives it: the layers after
    the maps run once with each channel raised a little, and once with it lowered. Channels that are 0 everywhere add
    nothing, and are left out.

    The maps are those of the last size that has a convolution: the network's last output of that size that all later
    layers depend on alone, before normalisation and dropout.

    Args:
        model: a Sequential or functional network of one input, images, and one output, a column for each class. Its
            layers are used as they are; a softmax or sigmoid at its end is left out of the score.

    Raises:
        UserError: it is another kind of network, or has no convolution.
    """

    def __init__(self, model: keras.Model) -> None:
        flat = FlatNetwork(model)
        self._front, self._head = flat.split_after_convolutions()
        self._classes, self._exclusive = model.output_shape[-1], flat.exclusive
        self._channels_first = keras.config.image_data_format() == "channels_first"
        self._shape = tuple(model.input_shape)

    def heatmap(self, image_batch: np.ndarray, classes: Any) -> np.ndarray:
        """Return where the images show their classes.

        Args:
            image_batch: ndarray of shape (n, h, w, channels), or channels first where Keras is set so: the network's
                input, after all preprocessing.
            classes: index of the class to search each image for, of shape (n,), or one for all.

        Returns:
            ndarray of shape (n, h, w), float32 in [0, 1]: 1 at the strongest evidence for the class; 0 everywhere if
            there is none.

        Raises:
            UserError: the images do not fit the network, or there is no such class.
        """
        images = np.asarray(image_batch)
        expected = self._shape[1:]
        if images.ndim != 4 or any(
            size not in (None, got) for size, got in zip(expected, images.shape[1:], strict=True)
        ):
            raise UserError(
                f"image_batch: must have shape (n, {', '.join(map(str, expected))}); received {images.shape}"
            )
        indices = np.broadcast_to(np.asarray(classes), len(images)) if np.ndim(classes) == 0 else np.asarray(classes)
        if indices.shape != (len(images),) or indices.dtype.kind not in "iu" or not self._known(indices):
            raise UserError(
                f"classes: must be a whole number from 0 to {self._classes - 1} for each of {len(images)} images, or "
                f"one for all; received {classes}"
            )
        if not len(images):
            return np.empty(self._of_pixels(images), np.float32)
        maps = np.asarray(self._front.predict_on_batch(images), np.float32)
        if self._channels_first:
            maps = np.moveaxis(maps, 1, -1)
        weights = np.maximum(self._derivatives(maps, indices), 0)
        weighted = np.maximum(np.einsum("nhwc,nc->nhw", maps, weights), 0)
        height, width = self._of_pixels(images)[1:]
        heat = np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in weighted])
        highest = heat.max(axis=(1, 2), keepdims=True)
        return np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)

    def _known(self, indices: np.ndarray) -> bool:
        return bool(((indices >= 0) & (indices < self._classes)).all())

    def _of_pixels(self, images: np.ndarray) -> tuple[int, ...]:
        return (len(images), *images.shape[2:]) if self._channels_first else images.shape[:3]

    def _derivatives(self, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return the derivative of each image's score along each channel, float32 of shape (n, channels)."""
        images, channels = np.nonzero(maps.any(axis=(1, 2)))
        # Steps in proportion to the maps: smaller ones drown in the rounding of float32, larger ones cross more
        # kinks of the later layers.
        steps = _STEP * np.sqrt((maps**2).mean(axis=(1, 2, 3), dtype=np.float64)).astype(np.float32)
        result = np.zeros((len(maps), maps.shape[-1]), np.float32)
        size = int(np.clip(_BATCH_BYTES // (2 * maps[0].nbytes), 1, _MOST_MAPS))
        for start in range(0, len(images), size):
            # The last batch is as large as the others: some backends compile a network for each size.
            chosen = np.arange(start, start + size) % len(images)
            image, channel = images[chosen], channels[chosen]
            raised, lowered = maps[image], maps[image]
            place = np.arange(size)
            raised[place, :, :, channel] += steps[image, None, None]
            lowered[place, :, :, channel] -= steps[image, None, None]
            difference = self._scores(raised, classes[image]) - self._scores(lowered, classes[image])
            result[image, channel] = difference / (2 * steps[image])
        return result

    def _scores(self, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
        if self._channels_first:
            maps = np.ascontiguousarray(np.moveaxis(maps, -1, 1))
        scores = np.array(self._head.predict_on_batch(maps), np.float64)
        rows = np.arange(len(scores))
        chosen = scores[rows, classes]
        if self._exclusive:
            scores[rows, classes] = -np.inf
            chosen = chosen - logsumexp(scores, axis=1)
        return chosen


def overlay(image_bgr: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """Return the image blended with a heat map in colour, black where it is cold.

    Args:
        image_bgr: ndarray of shape (h, w, 3), BGR, or (h, w) or (h, w, 1), gray; uint8.
        heatmap: ndarray of any height and width, in [0, 1].

    Returns:
        ndarray of shape (h, w, 3), uint8, BGR.

    Raises:
        UserError: an array has another shape, dtype or range.
    """
    gray = image_bgr.ndim == 2 or image_bgr.shape[2:] == (1,)
    if image_bgr.dtype != np.uint8 or not (gray or image_bgr.shape[2:] == (3,)):
        raise UserError(
            f"image_bgr: must be uint8 of shape (h, w, 3), or (h, w) if it is gray; received {image_bgr.dtype} of "
            f"shape {image_bgr.shape}"
        )
    if heatmap.ndim != 2 or not ((heatmap >= 0) & (heatmap <= 1)).all():
        raise UserError(f"heatmap: must be numbers in [0, 1] of shape (h, w); received shape {heatmap.shape}")
    image = cv2.cvtColor(image_bgr, cv2.COLOR_GRAY2BGR) if gray else image_bgr
    height, width = image.shape[:2]
    heat = cv2.resize(heatmap.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colors = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return cv2.addWeighted(image, 0.5, colors, 0.5, 0)
