import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.features import featurefile as module
from pyimagesearch.features.featurefile import FeatureFile, available_memory

LABELS = np.repeat([0, 1], 6)


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 4)).astype(np.float32)


@pytest.mark.parametrize("in_memory", [True, False])
def test_features_labels_and_names_are_read(write_dataset, features, in_memory):
    file = FeatureFile(write_dataset(features, LABELS), in_memory)
    rows = file.read(np.array([7, 0, 3]))
    np.testing.assert_array_equal(rows, features[[7, 0, 3]])
    np.testing.assert_array_equal(file.labels, LABELS)
    assert (file.shape, file.names, file.recipe) == ((12, 4), ["cat", "dog"], "")
    assert (rows.dtype, file.labels.dtype) == (np.float32, np.int64)
    place = "in memory" if in_memory else "read from the file"
    assert repr(file) == f"<FeatureFile {file.path}: 12 rows of 4 features; 2 classes: cat, dog; {place}>"
    rows[:] = 0
    np.testing.assert_array_equal(file.read(np.arange(12)), features)
    file.close()


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", np.uint8])
@pytest.mark.parametrize("options", [{}, {"chunks": (5, 20), "compression": "gzip"}, {"chunks": (7, 20)}])
def test_every_layout_and_dtype_gives_float32(write_features, in_memory, dtype, options):
    path = write_features(30, dtype=dtype, **options)
    with h5py.File(path) as file:
        expected = file["features"][:].astype(np.float32)
    rows = FeatureFile(path, in_memory).read(np.arange(30))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, expected)


def test_the_book_s_files_are_read(tmp_path, features):
    with h5py.File(tmp_path / "book.hdf5", "w") as file:
        file["feature"], file["labels"] = features.astype(np.float64), LABELS
    file = FeatureFile(tmp_path / "book.hdf5")
    np.testing.assert_array_equal(file.read(np.arange(12)), features)
    assert file.names == ["0", "1"]


def test_the_recipe_is_handed_on(write_dataset, features):
    path = write_dataset(features, LABELS, recipe='{"network": "resnet50"}')
    assert FeatureFile(path).recipe == '{"network": "resnet50"}'


@pytest.mark.parametrize(("free", "expected"), [(2 * 12 * 4 * 4, True), (2 * 12 * 4 * 4 - 1, False)])
def test_features_are_read_at_once_if_half_of_the_free_memory_holds_them(
    write_dataset, features, monkeypatch, free, expected
):
    monkeypatch.setattr(module, "available_memory", lambda: free)
    assert FeatureFile(write_dataset(features, LABELS)).in_memory is expected


def test_free_memory_is_a_number_of_bytes():
    assert available_memory() > 2**20


def test_blocks_hold_every_row_once_and_fit_a_cache(write_features):
    file = FeatureFile(write_features(900, 4000), False)
    blocks = file.blocks(np.arange(900))
    np.testing.assert_array_equal(np.concatenate(blocks), np.arange(900))
    assert max(map(len, blocks)) * 4000 * 4 <= 2**20


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "f4"), (np.inf, "f2"), (1e300, "f8")])
def test_numbers_that_are_not_finite_are_refused(write_features, in_memory, value, dtype):
    path = write_features(30, dtype=dtype)
    with h5py.File(path, "r+") as file:
        file["features"][11, 2] = value
    with pytest.raises(UserError, match=r"db_path: .*features\.hdf5 must hold finite numbers .*; row 11 has others"):
        list(FeatureFile(path, in_memory).read_blocks(np.arange(30)))


@pytest.mark.parametrize("options", [{}, {"encoding": "jpeg"}])
def test_images_are_no_features(write_dataset, numbered_images, options):
    path = write_dataset(numbered_images(12), LABELS, **options)
    with pytest.raises(
        UserError, match=r"db_path: .*data\.hdf5 must hold features of shape \(n, d\); .*extract features first"
    ):
        FeatureFile(path)


@pytest.mark.parametrize(
    ("labels", "found"),
    [([0] * 12, "1; the rarest, 'cat', has 12"), ([0] * 8 + [1] * 4, "2; the rarest, 'dog', has 4"), ([1] * 12, "1;")],
)
def test_every_class_needs_some_rows(write_dataset, features, labels, found):
    path = write_dataset(features, np.array(labels))
    with pytest.raises(UserError, match=f"must hold at least 2 classes of 5 rows each; it holds {found}.*; add images"):
        FeatureFile(path)


def test_every_class_needs_a_name_of_its_own(write_dataset, features):
    with pytest.raises(UserError, match="must name each of its 2 classes, and no two alike; received the names"):
        FeatureFile(write_dataset(features, LABELS, class_labels=("cat", "cat")))


def test_a_class_without_rows_does_no_harm(write_dataset, features):
    file = FeatureFile(write_dataset(features, LABELS * 2, class_labels=("cat", "dog", "fox")))
    assert file.names == ["cat", "fox"]
    np.testing.assert_array_equal(file.labels, LABELS)


def test_labels_point_at_sorted_names(write_dataset, features):
    file = FeatureFile(write_dataset(features, LABELS, class_labels=("mouse", "ant")))
    assert file.names == ["ant", "mouse"]
    np.testing.assert_array_equal(file.labels, 1 - LABELS)
