import os

import cv2
import numpy as np
import pytest

from pyimagesearch.ml.confusion import draw_confusion_matrix, most_confused

TRUTH = np.array(["cat", "cat", "dog", "dog", "dog"])


@pytest.mark.parametrize(("suffix", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_picture_has_the_format_of_its_name(tmp_path, suffix, begin):
    path = tmp_path / "reports" / f"confusion.{suffix}"
    draw_confusion_matrix(TRUTH, TRUTH[::-1], ["cat", "dog"], path)
    assert path.read_bytes().startswith(begin)
    assert os.listdir(path.parent) == [path.name]


def test_the_counts_are_written_into_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")
    draw_confusion_matrix(TRUTH, np.array(["cat", "dog", "dog", "dog", "cat"]), ["cat", "dog"], tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert "3 of 5 correct" in text
    assert all(f">{name}<" in text for name in ("cat", "dog", "predicted", "true"))


def test_other_predictions_make_another_picture(tmp_path):
    draw_confusion_matrix(TRUTH, TRUTH, ["cat", "dog"], tmp_path / "a.png")
    draw_confusion_matrix(TRUTH, TRUTH[::-1], ["cat", "dog"], tmp_path / "b.png")
    first, second = cv2.imread(str(tmp_path / "a.png")), cv2.imread(str(tmp_path / "b.png"))
    assert min(first.shape[:2]) > 200
    assert first.shape != second.shape or (first != second).any()


def test_a_class_that_never_occurs_has_an_empty_row(tmp_path):
    draw_confusion_matrix(TRUTH, TRUTH, ["cat", "dog", "fox", "owl"], tmp_path / "a.png")
    assert cv2.imread(str(tmp_path / "a.png")) is not None


def test_shares_of_the_true_class_stand_below_the_counts(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")
    draw_confusion_matrix(TRUTH, np.array(["cat", "dog", "dog", "dog", "cat"]), ["cat", "dog"], tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert all(f">{share}<" in text for share in ("50.0%", "66.7%", "33.3%"))


@pytest.mark.parametrize("classes", [21, 300])
def test_many_classes_are_colours_alone(tmp_path, monkeypatch, classes):
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")
    names = [f"breed {index}" for index in range(classes)]
    truth = np.array(names)
    for suffix in ("png", "svg"):
        draw_confusion_matrix(truth, truth[::-1], names, tmp_path / f"a.{suffix}")
    assert max(cv2.imread(str(tmp_path / "a.png")).shape) < 2000
    text = (tmp_path / "a.svg").read_text()
    assert ">100.0%<" not in text
    assert 2 * 20 <= text.count(">breed ") <= 2 * 40
    assert ">breed 0<" in text


def test_the_most_confused_pairs():
    names, counts = ["cat", "dog", "fox"], [[5, 1, 0], [3, 0, 0], [0, 1, 1]]
    assert most_confused(names, counts) == [
        {"label": "dog", "predicted": "cat", "images": 3, "share": 1.0},
        {"label": "cat", "predicted": "dog", "images": 1, "share": 1 / 6},
        {"label": "fox", "predicted": "dog", "images": 1, "share": 1 / 2},
    ]
    assert [pair["label"] for pair in most_confused(names, counts, most=2)] == ["dog", "cat"]
    assert most_confused(names, np.eye(3, dtype=int)) == []
