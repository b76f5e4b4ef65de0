import shutil

import cv2
import numpy as np
import pytest

from pyimagesearch.explore.summary import report
from pyimagesearch.samples.animals import LABELS, paint
from tests.explore.datasets import look, write


def test_counts_sizes_and_means(folder):
    _, figures = look(folder)
    assert {name: each["images"] for name, each in figures["classes"].items()} == {"cat": 8, "dog": 4}
    assert (figures["most_common"], figures["rarest"], figures["imbalance"]) == ("cat", "dog", 2)
    assert figures["width"] == {"min": 150, "median": 150, "mean": 150, "max": 150}
    assert figures["formats"] == {"jpeg": 12}
    paths = sorted(folder.rglob("*.jpg"))
    assert figures["total_bytes"] == sum(path.stat().st_size for path in paths)
    pixels = np.array([cv2.imread(str(path)) for path in paths])
    means = dict(zip("BGR", pixels.mean(axis=(0, 1, 2)), strict=True))
    assert figures["channel_means"] == pytest.approx(means)
    grays = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean() for image in pixels]
    assert figures["brightness"]["mean"] == pytest.approx(np.mean(grays), abs=0.2)
    assert figures["darkest"] == str(paths[np.argmin(grays)].relative_to(folder))
    assert figures["brightest"] == str(paths[np.argmax(grays)].relative_to(folder))
    assert (figures["unreadable"], figures["odd"], figures["advice"]) == ({}, {}, [])


def test_unreadable_and_odd_files(folder):
    whole = (folder / "dog/0.jpg").read_bytes()
    (folder / "dog/short.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "dog/empty.jpg").touch()
    (folder / "cat/._1.jpg").write_bytes(b"Mac OS X")
    (folder / "cat/notes.txt").touch()
    (folder / "cat/page").touch()
    write(folder / "cat/thin.png", np.random.default_rng(0).integers(0, 256, (100, 401, 3), np.uint8))
    write(folder / "cat/flat.png", np.full((50, 50, 3), 200, np.uint8))
    write(folder / "cat/gray.jpg", cv2.imread(str(folder / "cat/1.jpg"), cv2.IMREAD_GRAYSCALE))
    _, figures = look(folder)
    assert set(figures["unreadable"]) == {"dog/short.jpg", "dog/empty.jpg"}
    assert "truncated" in figures["unreadable"]["dog/short.jpg"]
    assert {kind: set(files) for kind, files in figures["odd"].items()} == {
        "narrow": {"cat/thin.png"}, "blank": {"cat/flat.png"}, "gray": {"cat/gray.jpg"},
    }  # fmt: skip
    assert figures["other_files"] == {".txt": 1, "without suffix": 1, "._*": 1}
    assert [figures["classes"][name]["unreadable"] for name in LABELS] == [0, 2]
    assert '2 images that cannot be read: build with on_error="skip"' in figures["advice"]
    text = report(figures)
    assert "unreadable: 2: dog/empty.jpg (the file is empty (0 bytes)), dog/short.jpg (the file ends" in text
    assert "gray: 1 (gray among colour images): cat/gray.jpg" in text


def test_exact_and_near_duplicates_and_conflicts(folder):
    shutil.copy(folder / "cat/1.jpg", folder / "cat/copy.jpg")
    shutil.copy(folder / "dog/3.jpg", folder / "cat/wrong.jpg")
    write(folder / "cat/small.jpg", cv2.resize(cv2.imread(str(folder / "cat/2.jpg")), (120, 112)))
    _, figures = look(folder)
    found = figures["duplicates"]
    assert found["exact"] == [["cat/1.jpg", "cat/copy.jpg"], ["cat/wrong.jpg", "dog/3.jpg"]]
    assert found["near"] == [["cat/2.jpg", "cat/small.jpg"]]
    assert found["conflicts"] == [{"cat/wrong.jpg": "cat", "dog/3.jpg": "dog"}]
    assert figures["advice"][0] == "1 picture with several labels: decide on one of them"
    assert any('duplicates="group"' in line for line in figures["advice"])
    assert "CONFLICT: one picture, several labels: cat/wrong.jpg is cat, dog/3.jpg is dog" in report(figures)


def test_advice_on_rare_classes_and_small_images(folder):
    for number in range(11):
        image = cv2.resize(paint("cat", np.random.default_rng(100 + number)), (90, 90))
        write(folder / f"cat/small{number}.jpg", image)
    for path in sorted((folder / "dog").iterdir())[1:]:
        path.unlink()
    _, figures = look(folder, stored_size=100)
    assert figures["advice"] == [
        "1 class of fewer than 3 images, such as dog: every split needs one",
        'cat has 19 times the images of dog: train with class_weight="balanced"',
        "55% of the images are smaller than stored_size=100 and would be enlarged: lower it",
    ]


def test_a_folder_of_gray_images_is_not_odd(folder):
    for path in folder.rglob("*.jpg"):
        write(path, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    _, figures = look(folder)
    assert figures["odd"] == {}
    assert figures["advice"] == ["all images are gray: with channels=1 files are a third as large"]


def test_a_class_of_which_nothing_can_be_read(folder):
    for path in (folder / "dog").iterdir():
        path.write_bytes(b"")
    found, figures = look(folder)
    assert figures["classes"]["dog"] == {"images": 4, "share": 1 / 3, "unreadable": 4}
    assert len(found.readable) == 8
    assert "\ndog         4  33.3%           4            -           -\n" in report(figures)
