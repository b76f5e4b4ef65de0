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
