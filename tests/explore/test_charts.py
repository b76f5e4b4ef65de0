import cv2
import numpy as np
import pytest

from pyimagesearch.explore.charts import draw_brightness, draw_classes, draw_sizes
from pyimagesearch.explore.survey import survey
from tests.explore.datasets import shades


@pytest.mark.parametrize("classes", [1, 2, 40, 200])
def test_charts_for_few_and_for_many_classes(tmp_path, classes):
    found = survey(shades(np.arange(max(8, classes)) % classes), 1)
    draw_classes(found, tmp_path / "classes.png")
    draw_sizes(found, 64, tmp_path / "sizes.png")
    draw_brightness(found, tmp_path / "brightness.png")
    for name in ("classes", "sizes", "brightness"):
        picture = cv2.imread(str(tmp_path / f"{name}.png"))
        assert min(picture.shape[:2]) > 150
        assert max(picture.shape[:2]) < 8000
        assert picture.std() > 5


def test_charts_of_names_that_no_font_or_formula_can_show(tmp_path):
    found = survey(shades([0, 1, 2, 3, 0, 1], ["$a^", "_犬", "a\udc80\n", "x" * 300]), 1)
    draw_classes(found, tmp_path / "classes.png")
    draw_sizes(found, 64, tmp_path / "sizes.png")
    draw_brightness(found, tmp_path / "brightness.png")
    assert len(list(tmp_path.iterdir())) == 3
