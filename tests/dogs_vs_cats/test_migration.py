"""Promises of docs/migration.md to readers of the book."""

import re
from pathlib import Path

import cv2
import h5py
import numpy as np

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "migration.md"


def test_the_migrated_script_runs(workplace):
    """Run the new side of the guide's diff, at a size that takes seconds."""
    diff = re.search(r"^```diff\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[1]
    script = "".join(line[1:] or "\n" for line in diff.splitlines(keepends=True) if line[0] != "-")
    for book_size, tiny in (("227", "64"), ("128", "8"), ("epochs=75", "epochs=1")):
        assert book_size in script
        script = script.replace(book_size, tiny)
    (workplace / "output/alexnet.keras").unlink()
    exec(compile(script, str(GUIDE), "exec"), {"__name__": "__main__"})
    assert cv2.imread("output/training.png") is not None

    import keras

    assert keras.saving.load_model("output/alexnet.keras").output_shape == (None, 2)


def test_a_file_that_the_book_wrote_can_be_read_with_the_book_s_keywords(tmp_path):
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.preprocessing import ImageToArrayPreprocessor, MeanPreprocessor

    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype(np.float64)
    with h5py.File(tmp_path / "book.hdf5", "w") as file:
        file["images"] = pixels
        file["labels"] = np.array([0, 1, 1, 0, 1])
        file["label_names"] = ["cat", "dog"]
    mean = MeanPreprocessor(rMean=30, gMean=20, bMean=10)
    steps = [mean, ImageToArrayPreprocessor(dataFormat="channels_last")]
    generator = HDF5DatasetGenerator(dbPath=tmp_path / "book.hdf5", batchSize=2, preprocessors=steps, classes=2)
    assert generator.numImages == 5
    batches = list(generator.generator(passes=1))
    generator.close()
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    np.testing.assert_allclose(images, pixels - (10, 20, 30))
    assert labels.argmax(axis=1).tolist() == [0, 1, 1, 0, 1]
