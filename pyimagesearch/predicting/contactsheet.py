"""Pages of thumbnails, each with the prediction under it."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pyimagesearch.predicting.formats.cells import escaped
from pyimagesearch.predicting.prediction import Prediction
from pyimagesearch.predicting.thumbnail import SIDE
from pyimagesearch.utils.atomic import PathLike, replacing

PER_PAGE = 36

_ACROSS, _GAP, _LINE, _FONT = 6, 8, 17, 13
_INK, _PALE, _PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)


def page_paths(path: PathLike, images: int) -> list[Path]:
    """Return the files of a sheet of so many images: ``sheet.png``, ``sheet_2.png`` and so on."""
    path, pages = Path(path), max(1, -(-images // PER_PAGE))
    return [path, *(path.with_name(f"{path.stem}_{number}{path.suffix}") for number in range(2, pages + 1))]


class ContactSheet:
    """Draws predictions on pages of `PER_PAGE`; at most one page is kept in memory.

    Args:
        path: the first page, a PNG file; see `page_paths`.
        label_names: the classes.

    Attributes:
        files: the pages that were written.
    """

    def __init__(self, path: PathLike, label_names: Sequence[str]) -> None:
        import matplotlib

        self._path, self._label_names = path, label_names
        font = os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
        self._font = ImageFont.truetype(font, _FONT)
        self._predictions: list[Prediction] = []
        self.files: list[Path] = []

    def add(self, prediction: Prediction) -> None:
        """Add an image that has a thumbnail, and write the page if it is full."""
        self._predictions.append(prediction)
        if len(self._predictions) == PER_PAGE:
            self.write()

    def write(self) -> None:
        """Write the images of the page that is not full yet, if there are any."""
        count = len(self._predictions)
        if not count:
            return
        width, height = SIDE + _GAP, SIDE + 2 * _LINE + _GAP
        across, down = min(count, _ACROSS), -(-count // _ACROSS)
        page = Image.new("RGB", (across * width + _GAP, down * height + _GAP), _PAPER)
        draw = ImageDraw.Draw(page)
        for i, prediction in enumerate(self._predictions):
            x, y = _GAP + i % _ACROSS * width, _GAP + i // _ACROSS * height
            self._draw(page, draw, x, y, prediction)
        path = page_paths(self._path, (len(self.files) + 1) * PER_PAGE)[-1]
        with replacing(path) as temporary:
            page.save(temporary, "PNG")
        self.files.append(path)
        self._predictions.clear()

    def _draw(self, page: Image.Image, draw: ImageDraw.ImageDraw, x: int, y: int, prediction: Prediction) -> None:
        pixels = np.ascontiguousarray(prediction.thumbnail)
        height, width = pixels.shape[:2]
        page.paste(Image.fromarray(pixels), (x + (SIDE - width) // 2, y + (SIDE - height) // 2))
        ((number, probability),) = prediction.best(1)
        share = f" {probability:.1%}"
        caption = self._fitted(escaped(self._label_names[number]), share) + share
        name = self._fitted(escaped(os.path.basename(prediction.path)))
        draw.text((x, y + SIDE + 1), caption, _INK, self._font)
        draw.text((x, y + SIDE + _LINE), name, _PALE, self._font)

    def _fitted(self, text: str, rest: str = "") -> str:
        """Return text that leaves room for the rest below a thumbnail, with dots for what is cut off."""
        text = text[:SIDE]  # a letter has at least a pixel; measuring a novel takes long
        if self._font.getlength(text + rest) <= SIDE:
            return text
        while text and self._font.getlength(f"{text}\N{HORIZONTAL ELLIPSIS}{rest}") > SIDE:
            text = text[:-1]
        return f"{text}\N{HORIZONTAL ELLIPSIS}"
