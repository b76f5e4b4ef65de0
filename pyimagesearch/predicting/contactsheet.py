"""Pages of thumbnails, each with the prediction under it."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
from PIL import Image, ImageDraw, ImageFont

from pyimagesearch.errors import UserError
from pyimagesearch.predicting.files import THUMBNAIL_SIDE as SIDE
from pyimagesearch.predicting.files import Prediction
from pyimagesearch.utils.atomic import PathLike, replacing
from pyimagesearch.utils.text import printable

PER_PAGE = 36

_ACROSS, _GAP, _LINE, _FONT = 6, 8, 17, 13
_INK, _PALE, _PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)


def page_paths(path: PathLike, images: int) -> list[Path]:
    """Return the files that a sheet of this many images takes: ``sheet.png``, ``sheet_2.png`` and so on.

    Raises:
        UserError: the path does not end in ``.png``.
    """
    if Path(path).suffix.lower() != ".png":
        raise UserError(f"sheet: must end in .png; received {path}; choose such a name")
    path, pages = Path(path), max(1, -(-images // PER_PAGE))
    return [path, *(path.with_name(f"{path.stem}_{number}{path.suffix}") for number in range(2, pages + 1))]


class ContactSheet:
    """Draw predictions on pages of `PER_PAGE` images, of which one at most is in memory.

    Args:
        path: the first page, a PNG file; see `page_paths`.
        label_names: the classes.
    """

    def __init__(self, path: PathLike, label_names: Sequence[str]) -> None:
        import matplotlib

        self._path, self._label_names = path, label_names
        font = os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
        self._font = ImageFont.truetype(font, _FONT)
        self._predictions: list[Prediction] = []
        self._files: list[Path] = []

    def add(self, prediction: Prediction) -> None:
        """Add an image, unless it is unreadable; a full page is written."""
        if prediction.reason:
            return
        self._predictions.append(prediction)
        if len(self._predictions) == PER_PAGE:
            self._write()

    def close(self) -> list[Path]:
        """Write the last page, and return the files of all pages."""
        if self._predictions:
            self._write()
        return self._files

    def _write(self) -> None:
        count = len(self._predictions)
        width, height = SIDE + _GAP, SIDE + 2 * _LINE + _GAP
        across, down = min(count, _ACROSS), -(-count // _ACROSS)
        page = Image.new("RGB", (across * width + _GAP, down * height + _GAP), _PAPER)
        draw = ImageDraw.Draw(page)
        for i, prediction in enumerate(self._predictions):
            x, y = _GAP + i % _ACROSS * width, _GAP + i // _ACROSS * height
            self._draw(page, draw, x, y, prediction)
        path = page_paths(self._path, (len(self._files) + 1) * PER_PAGE)[-1]
        with replacing(path) as temporary:
            page.save(temporary, "PNG")
        self._files.append(path)
        self._predictions.clear()

    def _draw(self, page: Image.Image, draw: ImageDraw.ImageDraw, x: int, y: int, prediction: Prediction) -> None:
        if prediction.thumbnail is not None:
            picture = Image.fromarray(cv2.cvtColor(prediction.thumbnail, cv2.COLOR_BGR2RGB))
            page.paste(picture, (x + (SIDE - picture.width) // 2, y + (SIDE - picture.height) // 2))
        ((index, probability),) = prediction.best(1)
        percent = f" {probability:.1%}"
        caption = self._fitted(printable(self._label_names[index]), percent) + percent
        name = self._fitted(printable(os.path.basename(prediction.path)))
        draw.text((x, y + SIDE + 1), caption, _INK, self._font)
        draw.text((x, y + SIDE + _LINE), name, _PALE, self._font)

    def _fitted(self, text: str, rest: str = "") -> str:
        """Cut text so that it fits below a thumbnail together with the rest."""
        text = text[:SIDE]  # a letter is at least a pixel wide, and measuring a long text takes long
        if self._font.getlength(text + rest) <= SIDE:
            return text
        while text and self._font.getlength(f"{text}\N{HORIZONTAL ELLIPSIS}{rest}") > SIDE:
            text = text[:-1]
        return f"{text}\N{HORIZONTAL ELLIPSIS}"
