import shutil
import warnings

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.explore.images import ImageFiles, ImageRows
from pyimagesearch.explore.summary import report, summarize
from pyimagesearch.explore.survey import survey
from pyimagesearch.io import label_from_folder
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.samples.animals import LABELS, paint


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image)[1])


@pytest.fixture
def folder(tmp_path):
    """Eight cats and four dogs of 140 x 150 pixels."""
    for number in range(12):
        label = LABELS[number % 3 == 0]
        image = cv2.resize(paint(label, np.random.default_rng(number)), (150, 140))
        write(tmp_path / f"pets/{label}/{number}.jpg", image)
    return tmp_path / "pets"


def look(path, stored_size=100, channels=3):
    images = ImageFiles(path, label_from_folder, Decoding())
    found = survey(images, 2)
    return found, summarize(found, stored_size, channels)


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


def test_nothing_readable(tmp_path):
    for name in ("cat/1.jpg", "dog/1.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(
        UserError, match=r"not one of 2 images can be read; of the first, cat/1\.jpg: the file is empty"
    ):
        look(tmp_path)


def test_a_class_of_which_nothing_can_be_read(folder):
    for path in (folder / "dog").iterdir():
        path.write_bytes(b"")
    found, figures = look(folder)
    assert figures["classes"]["dog"] == {"images": 4, "share": 1 / 3, "unreadable": 4}
    assert len(found.readable) == 8
    assert "\ndog         4  33.3%           4            -           -\n" in report(figures)


def test_the_number_of_threads_changes_nothing(folder):
    images = ImageFiles(folder, label_from_folder, Decoding())
    before = list(warnings.filters)
    assert survey(images, 1).looks == survey(images, 3).looks
    assert warnings.filters == before


@pytest.fixture
def pictures():
    return np.stack([cv2.resize(paint("cat", np.random.default_rng(n)), (80, 70)) for n in range(6)])


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_rows_of_our_files(write_dataset, pictures, encoding):
    paths = [f"{n}.jpg" for n in range(6)]
    images = ImageRows(write_dataset(pictures, paths=paths, encoding=encoding))
    figures = summarize(survey(images, 2), 64, 3)
    assert figures["width"]["max"] == 80
    assert figures["height"]["max"] == 70
    assert figures["formats"] == {f"{encoding} uint8": 6}
    assert {name: each["images"] for name, each in figures["classes"].items()} == {"cat": 3, "dog": 3}
    means = dict(zip("BGR", pictures.mean(axis=(0, 1, 2)), strict=True))
    assert figures["channel_means"] == pytest.approx(means, abs=0 if encoding == "raw" else 1.5)
    assert figures["darkest"] in paths


@pytest.mark.parametrize("scale", [1, 255])
def test_rows_of_the_book_s_files(tmp_path, pictures, scale):
    with h5py.File(tmp_path / "book.hdf5", "w") as file:
        file["images"] = np.concatenate([pictures, pictures[:1]]).astype("float64") / scale
        file["labels"] = [0, 1, 0, 1, 0, 1, 1]
    images = ImageRows(tmp_path / "book.hdf5")
    found = survey(images, 2)
    assert images.label_names == ["0", "1"]
    assert found.means == pytest.approx(np.concatenate([pictures, pictures[:1]]).mean(axis=(1, 2)))
    assert found.exact == found.conflicts == [[0, 6]]
    assert summarize(found, 64, 3)["duplicates"]["exact"] == [["row 0", "row 6"]]
    assert (images.picture(2) == pictures[2]).all()


def test_rows_in_rgb_are_turned(tmp_path, pictures):
    with h5py.File(tmp_path / "rgb.hdf5", "w") as file:
        file["images"], file["labels"] = pictures, [0] * 6
        file.attrs["color_order"] = "RGB"
    assert (ImageRows(tmp_path / "rgb.hdf5").picture(0) == pictures[0][..., ::-1]).all()


def test_features_are_no_images(write_dataset):
    with pytest.raises(UserError, match="must hold images of shape"):
        ImageRows(write_dataset(np.zeros((4, 3), np.float32)))
