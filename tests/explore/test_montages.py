import cv2
import numpy as np

from pyimagesearch.explore.montages import SIDE, draw_class, draw_duplicates, montage_names, shown_classes
from pyimagesearch.explore.survey import survey
from tests.explore.datasets import Shades, shades


def test_names_of_montages_are_safe_and_differ():
    labels = ["cat", "Cat", "a/b", "a\\b", "../../etc/passwd", "..", "", "Ångström", "A\u030angstr\u00f6m", "犬" * 300,
              "con:*?", "a\udc80\0", "cat_2"]  # fmt: skip
    names = montage_names(labels)
    assert names[0] == "montage_cat.png"
    assert names[7] == "montage_Ångström.png"
    assert len({name.casefold() for name in names}) == len(labels)
    for name in names:
        assert not set(name[:-4]) & set('./\\:*?"<>|\0\n')
        assert len(f"{name}.partial".encode()) <= 255


def test_the_most_common_and_the_rarest_classes_are_shown():
    labels = np.repeat([0, 1, 2, 4, 5], [5, 9, 1, 3, 2])
    assert shown_classes(labels, 9) == [1, 0, 4, 5, 2]
    assert shown_classes(labels, 3) == [1, 0, 2]
    assert shown_classes(labels, 1) == [1]


def test_a_montage_is_a_seeded_sample_of_its_class(tmp_path):
    found = survey(shades([0] * 60 + [1] * 3), 1)
    assert draw_class(found, 1, 3, tmp_path / "b.png")
    small = cv2.imread(str(tmp_path / "b.png"))
    assert small.shape == (SIDE, 3 * SIDE, 3)
    assert [small[SIDE // 2, (i * SIDE) + SIDE // 2, 0] for i in range(3)] == [60, 61, 62]
    pictures = []
    for seed in (3, 3, 4):
        assert draw_class(found, 0, seed, tmp_path / "a.png")
        pictures.append(cv2.imread(str(tmp_path / "a.png")))
    assert pictures[0].shape == (6 * SIDE, 6 * SIDE, 3)
    centres = pictures[0][SIDE // 2 :: SIDE, SIDE // 2 :: SIDE, 0].ravel().tolist()
    assert len(set(centres)) == 36
    assert 5 not in centres
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


def test_a_class_without_readable_images_has_no_montage(tmp_path):
    found = survey(shades([0, 0, 0, 0, 0, 1]), 1)
    assert not draw_class(found, 1, 0, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_duplicates_with_different_labels_come_first_in_red(tmp_path):
    class Twice(Shades):
        def picture(self, row):
            return super().picture(row % 4)

    found = survey(Twice(*shades([0, 0, 1, 1, 0, 0, 0])), 1)
    assert found.exact == [[0, 4], [2, 6]]
    assert found.conflicts == [[2, 6]]
    assert draw_duplicates(found, tmp_path / "a.png")
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture.shape == (SIDE, 4 * SIDE, 3)
    assert picture[0, 0].tolist() == [0, 0, 220]
    assert picture[0, 2 * SIDE].tolist() == [90, 90, 90]
    assert picture[SIDE // 2, SIDE // 2, 0] == 2


def test_no_duplicates_make_no_picture(tmp_path):
    assert not draw_duplicates(survey(shades([0, 1, 1]), 1), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
