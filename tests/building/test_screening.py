"""The images of a build are those that can be read; what occurs twice is reported or kept together."""

import numpy as np
import pytest

from pyimagesearch.building.screening import Screening
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.folder import list_image_folder


@pytest.fixture
def screen(folder):
    """Return a function that screens the images with a copy of dog.00.png."""
    (folder / "dog.12.png").write_bytes((folder / "dog.00.png").read_bytes())

    def screen(**options):
        images = list_image_folder(folder, label_from_name)
        return Screening(images, ThisProcess(2), Decoding(), **options)

    return screen


def test_copies_are_grouped_or_reported_or_ignored(screen, images):
    rows = {"train": np.arange(12), "test": np.array([12])}
    for choice, expected in (("group", [[8, 12]]), ("report", []), ("ignore", [])):
        screening = screen(duplicates=choice)
        assert screening.groups == expected
        assert screening.wants_fingerprints is (choice == "report")
        report = screening.duplicates(rows, {}, None)
        assert report["groups"] == ([] if choice == "ignore" else [["dog.00.png", "dog.12.png"]])
        assert len(report["across_splits"]) == (choice != "ignore")


def test_unreadable_images_are_left_out_when_asked(screen, folder):
    (folder / "cat.01.jpg").write_bytes(b"")
    screening = screen(on_error="skip")
    assert screening.skipped == {"cat.01.jpg": "the file is empty (0 bytes)"}
    assert "cat.01.jpg" not in screening.images.paths
    assert len(screening.images.paths) == len(screening.images.labels) == 12
    with pytest.raises(UserError, match="dataset: 1 of 13 images"):
        screen(duplicates="group")


@pytest.mark.parametrize("name", ["on_error", "duplicates"])
def test_unknown_choices_are_named(screen, name):
    with pytest.raises(UserError, match=f"{name}: must be one of .*; received 'maybe'"):
        screen(**{name: "maybe"})


def test_rare_classes_are_left_out_and_said(screen, folder, caplog):
    caplog.set_level("INFO")
    (folder / "fox.0.png").write_bytes((folder / "dog.00.png").read_bytes())
    screening = screen(min_images_per_class=2, duplicates="group")
    assert screening.images.label_names == ["cat", "dog"]
    assert set(screening.images.labels) == {0, 1}
    assert screening.rare_classes == {"fox": 1}
    assert screening.left_out()["rare_classes"] == {"fox": 1}
    assert screening.groups == [[8, 12]]
    assert "left out classes of fewer than 2 images: fox (1)" in caplog.text
    with pytest.raises(
        UserError, match="min_images_per_class: must leave at least two classes; 7 leaves 1 of 3; lower"
    ):
        screen(min_images_per_class=7)


@pytest.mark.parametrize("duplicates", ["group", "ignore"])
def test_groups_of_images_stay_together_with_copies(folder, duplicates):
    (folder / "dog.12.png").write_bytes((folder / "dog.00.png").read_bytes())
    images = list_image_folder(folder, label_from_name, group_of=lambda path: path[-6:-4] in ("03", "12", "06"))
    images = images._replace(groups=[name if name == "True" else "" for name in images.groups])
    screening = Screening(images, ThisProcess(2), Decoding(), duplicates=duplicates)
    names = [[screening.images.paths[row] for row in group] for group in screening.groups]
    copies = ["dog.00.png"] * (duplicates == "group")
    assert names == [[*copies, "dog.03.jpg", "dog.06.png", "dog.12.png"]]
    assert screening.duplicates({}, {}, None)["groups"] == ([["dog.00.png", "dog.12.png"]] if copies else [])
