"""Everything that reads data sets gives the same for shards as for one file."""

import numpy as np
import pytest

from pyimagesearch.explore.images import ImageRows
from pyimagesearch.features.featurefile import FeatureFile
from pyimagesearch.features.imagesource import open_images
from pyimagesearch.io.conversion import convert
from pyimagesearch.io.format.dataset import check_same_build, is_finished, read_header
from pyimagesearch.io.images.folder import label_from_name
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.runs.recorder import identify

ROWS = 30


@pytest.fixture
def both(write_dataset, tmp_path):
    """Return a function that writes rows as one file and as three shards, and returns both paths."""

    def write(rows):
        paths = [f"{i}.jpg" for i in range(len(rows))]
        one = write_dataset(rows, paths=paths, build="b", recipe="{}" if rows.ndim == 2 else "")
        convert(one, tmp_path / "set.hdf5", shards=3)
        return one, tmp_path / "set.hdf5"

    return write


@pytest.mark.parametrize("in_memory", [True, False])
def test_features_for_a_classifier(both, rng, in_memory):
    one, several = (FeatureFile(path, in_memory) for path in both(rng.normal(size=(ROWS, 5)).astype(np.float32)))
    assert (several.names, several.recipe, several.shape) == (one.names, one.recipe, one.shape)
    assert several.labels.tolist() == one.labels.tolist()
    order = rng.permutation(ROWS)
    np.testing.assert_array_equal(several.read(order), one.read(order))


def test_images_for_the_report_of_a_data_set(both, numbered_images):
    one, several = map(ImageRows, both(numbered_images(ROWS)))
    assert (several.paths, several.label_names) == (one.paths, one.label_names)
    assert [several.look(row) for row in range(ROWS)] == [one.look(row) for row in range(ROWS)]


def test_images_for_features(both, numbered_images):
    one, several = (open_images(path, label_from_name, 1) for path in both(numbered_images(ROWS)))
    assert (several.paths, several.label_names, several.stored_size) == (one.paths, one.label_names, one.stored_size)
    order = np.random.default_rng(0).permutation(ROWS)
    resize = SimplePreprocessor(4, 4)
    np.testing.assert_array_equal(several.read(order, resize), one.read(order, resize))
    one.close()
    several.close()


def test_the_build_is_known(both, numbered_images):
    one, several = both(numbered_images(ROWS))
    check_same_build(read_header(one), read_header(several))
    assert is_finished(several, "b")


def test_the_mark_in_the_record_changes_with_the_rows(both, numbered_images, tmp_path):
    marks = []
    for images in (numbered_images(ROWS), numbered_images(ROWS), 255 - numbered_images(ROWS)):
        _, several = both(images)
        marks.append(identify(several)["identity"])
        for file in tmp_path.iterdir():
            file.unlink()
    assert marks[0] == marks[1] != marks[2]
