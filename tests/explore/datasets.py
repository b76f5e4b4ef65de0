"""Small data sets to explore."""

from typing import NamedTuple

import cv2
import numpy as np

from pyimagesearch.explore.images import ImageFiles
from pyimagesearch.explore.look import look_at
from pyimagesearch.explore.summary import summarize
from pyimagesearch.explore.survey import survey
from pyimagesearch.io import label_from_folder
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.walking import LeftOut


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image)[1])


def look(path, stored_size=100, channels=3):
    images = ImageFiles(path, label_from_folder, Decoding())
    found = survey(images, 2)
    return found, summarize(found, stored_size, channels)


class Shades(NamedTuple):
    """Images whose color is their row's number; the fifth cannot be read."""

    labels: np.ndarray
    label_names: list[str]
    paths: list[str]
    left_out: LeftOut

    def look(self, row):
        if row == 5:
            return "broken"
        image = self.picture(row)
        return look_at(image.tobytes(), image, 30 + row, 40, "png", {})

    def picture(self, row):
        return np.full((40, 80, 3), row, np.uint8)


def shades(labels, names=None):
    labels = np.array(labels)
    names = names or [f"class {c}" for c in range(labels.max() + 1)]
    return Shades(labels, names, [f"{row}.png" for row in range(len(labels))], LeftOut())
