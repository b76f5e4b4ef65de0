import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor
from pyimagesearch.report.feeding import Feed, feeding
from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import read_runs

SETTINGS = {"INPUT_SIZE": 32, "SEED": 7, "AUGMENTATION": {"rotation_range": 15, "horizontal_flip": True}}
MEANS = {"R": 100.0, "G": 30.0, "B": 90.0}


def test_these_are_the_pixels_that_training_saw(project):
    """The page shows, bit for bit, the images that the generator makes in an epoch."""
    aug = AugmentPreprocessor(**SETTINGS["AUGMENTATION"])
    steps = [PatchPreprocessor(32, 32), aug, MeanPreprocessor(100, 30, 90)]
    with_mean = HDF5DatasetGenerator(project / "train.hdf5", 40, steps, seed=7)
    without = HDF5DatasetGenerator(project / "train.hdf5", 40, steps[:2], seed=7, dtype="uint8")
    stored = HDF5DatasetGenerator(project / "train.hdf5", 40, [], dtype="uint8")
    image = stored[0][0][11]
    found = Feed(SETTINGS, MEANS).stages(image, 11, epochs=3)
    np.testing.assert_array_equal(found.normalized, with_mean[0][0][11])
    for epoch in range(3):
        without.epoch = epoch
        np.testing.assert_array_equal(found.augmented[epoch], without[0][0][11])
    assert found.patch.shape == (32, 32, 3)
    assert any(
        np.array_equal(found.patch, image[y : y + 32, x : x + 32]) for y in range(9) for x in range(9)
    )  # cut, not resized
    for generator in (with_mean, without, stored):
        generator.close()


@pytest.mark.parametrize("shape", [(40, 40, 3), (20, 20, 3), (20, 30, 1)])
def test_ten_crops_of_any_image(shape, rng):
    crops = Feed(SETTINGS, MEANS).crops(rng.integers(0, 256, shape, np.uint8))
    assert crops.shape[:3] == (10, 32, 32)
    np.testing.assert_array_equal(crops[5:], crops[:5, :, ::-1])


def test_images_of_another_build_are_not_shown(project, tmp_path, record, runs):
    build = next(run for run in runs if run.script.endswith("build_dogs_vs_cats"))
    record.settings = build.config["settings"]
    record.add("build_dogs_vs_cats", build.results | {"build": "another"})
    assert "is not of the build in the record" in feeding(Project(read_runs(record.path)))
    record.settings = record.settings | {"TRAIN_HDF5": str(tmp_path / "gone.hdf5")}
    record.add("build_dogs_vs_cats", build.results)
    assert "gone.hdf5 does not exist" in feeding(Project(read_runs(record.path)))


def test_the_page_shows_all_stages(runs):
    shown = feeding(Project(runs))
    assert [kind for kind, _ in shown["rows"][0]] == [
        "stored", "patch", "augmented", "mean subtracted", "epoch 2", "epoch 3",
    ]  # fmt: skip
    assert len(shown["crops"]) == 10
    stored, patch = shown["rows"][0][0][1], shown["rows"][0][1][1]
    assert (stored.width, patch.width) == (40, 32)


def test_rgb_files_and_gray_ones(write_dataset, record, rng):
    for channels, order in ((3, "RGB"), (1, "BGR")):
        images = rng.integers(0, 256, (4, 40, 40, channels), np.uint8)
        path = write_dataset(images, name=f"{channels}.hdf5", color_order=order)
        record.settings = SETTINGS | {"TRAIN_HDF5": str(path)}
        record.add("build_dogs_vs_cats", {"means": MEANS, "classes": {}, "splits": {}})
        assert read_header(path).color_order == order
        assert len(feeding(Project(read_runs(record.path)))["rows"]) >= 2
