import itertools
import pickle

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io.conversion import convert
from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor

N = 11
LABELS = np.array([0, 1, 2, 0, 0, 1, 0, 0, 2, 0, 0])


@pytest.fixture
def images(numbered_images):
    return numbered_images(N)


@pytest.fixture
def path(write_dataset, images):
    return write_dataset(images, LABELS, class_labels=("cat", "dog", "fox"))


@pytest.fixture
def generate(path):
    """Return a function that makes a generator; all are closed in the end."""
    made = []

    def make(batch_size=4, preprocessors=None, **options):
        made.append(HDF5DatasetGenerator(path, batch_size, preprocessors, **{"classes": 3, **options}))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


def assert_batches_equal(first, second):
    for a, b in itertools.zip_longest(first, second):
        np.testing.assert_array_equal(a, b)


def test_shards_are_fed_as_one_file(path, generate, tmp_path):
    convert(path, tmp_path / "set.hdf5", shards=3)
    options = {"batch_size": 4, "classes": 3, "shuffle": True, "class_weight": "balanced"}
    several = HDF5DatasetGenerator(tmp_path / "set.hdf5", **options)
    one = generate(**options)
    assert (several.num_images, several.label_names) == (one.num_images, one.label_names)
    for first, second in zip(several.generator(2), one.generator(2), strict=True):
        assert_batches_equal(first, second)
    np.testing.assert_array_equal(several.db["images"][:], one.db["images"][:])
    several.close()


class OldFlow:
    """An augmentation object as Keras's old ImageDataGenerator: random, by a seed."""

    def flow(self, images, batch_size, shuffle, seed):
        assert not shuffle
        assert batch_size == len(images)
        yield images + np.random.default_rng(seed).integers(1, 9, (len(images), 1, 1, 1))


class TestBatches:
    def test_the_file_is_described(self, generate):
        generator = generate()
        assert (len(generator), generator.num_images, generator.numImages) == (3, N, N)
        np.testing.assert_array_equal(generator.labels, LABELS)
        assert generator.label_names == ["cat", "dog", "fox"]
        assert isinstance(generator.db, h5py.File)
        np.testing.assert_array_equal(generator.db["labels"][:], LABELS)

    def test_it_is_described_in_one_line(self, generate, path, images):
        words = f"11 rows in 3 batches of 4 x {images.shape[1:]}, float32; 3 classes: cat, dog, fox"
        assert repr(generate()) == f"<HDF5DatasetGenerator {path}: {words}; in the order of the file; BGR>"
        assert repr(generate(shuffle=True, seed=5)).endswith("; 3 classes: cat, dog, fox; shuffled, seed 5; BGR>")

    def test_labels_are_one_hot(self, generate, images):
        batch_images, labels = generate()[2]
        np.testing.assert_array_equal(batch_images, images[8:])
        np.testing.assert_array_equal(labels, [[0, 0, 1], [1, 0, 0], [1, 0, 0]])
        assert labels.dtype == np.float32

    def test_labels_may_be_numbers(self, generate):
        _, labels = generate(binarize=False)[0]
        np.testing.assert_array_equal(labels, [0, 1, 2, 0])
        assert labels.dtype == np.int64

    def test_there_may_be_more_classes_than_labels(self, generate):
        assert generate(classes=5)[0][1].shape == (4, 5)

    def test_images_and_labels_belong_together_in_any_order(self, generate):
        generator = generate(shuffle=True, binarize=False)
        for epoch, index in itertools.product(range(3), range(3)):
            generator.epoch = epoch
            batch, labels = generator[index]
            np.testing.assert_array_equal(labels, LABELS[batch[:, 0, 0, 0].astype(int)])

    def test_every_epoch_has_an_order_of_its_own_and_all_rows(self, generate):
        generator = generate(shuffle=True, seed=5)
        orders = []
        for epoch in range(6):
            generator.epoch = epoch
            orders.append(np.concatenate([generator[i][0][:, 0, 0, 0] for i in range(3)]).tolist())
        assert all(sorted(order) == list(range(N)) for order in orders)
        assert len(set(map(tuple, orders))) == 6

    def test_the_book_s_keywords_are_accepted(self, path):
        generator = HDF5DatasetGenerator(dbPath=path, batchSize=3, classes=3)
        assert len(generator[0][0]) == 3
        generator.close()

    def test_preprocessors_and_augmentation_run_in_order(self, generate, images):
        augment = AugmentPreprocessor(brightness_range=(2, 2))
        batch, _ = generate(preprocessors=[MeanPreprocessor(1, 2, 3)], aug=augment)[0]
        np.testing.assert_allclose(batch, 2 * (images[:4].astype(np.float32) - (3, 2, 1)), rtol=1e-6)


class TestPurity:
    @pytest.mark.parametrize("aug", [AugmentPreprocessor(rotation_range=20), OldFlow()], ids=["ours", "old flow"])
    def test_a_batch_depends_on_its_number_and_the_epoch_alone(self, generate, aug):
        options = {"preprocessors": [PatchPreprocessor(4, 4)], "aug": aug, "shuffle": True, "class_weight": "balanced"}
        first, second = generate(**options), generate(**options)
        expected = {}
        for epoch in range(2):
            first.epoch = epoch
            for index in range(3):
                expected[epoch, index] = first[index]
        for epoch, index in [(1, 2), (0, 0), (0, 0), (1, 0), (0, 2), (0, 1), (1, 2), (1, 1), (0, 1)]:
            second.epoch = epoch
            assert_batches_equal(second[index], expected[epoch, index])

    def test_using_up_a_generator_changes_nothing(self, generate):
        generator = generate(preprocessors=[PatchPreprocessor(4, 4)], shuffle=True)
        expected = generator[1]
        list(generator.generator(passes=2))
        assert_batches_equal(generator[1], expected)

    def test_batches_never_share_memory(self, generate):
        generator = generate()
        arrays = [array for index in (0, 0, 1, 2, 0) for array in generator[index]]
        for first, second in itertools.combinations(arrays, 2):
            assert not np.shares_memory(first, second)


class TestOldFlow:
    def test_images_go_through_flow(self, generate, images):
        batch, labels = generate(aug=OldFlow(), binarize=False)[0]
        added = batch - images[:4]
        assert (added.min(axis=(1, 2, 3)) == added.max(axis=(1, 2, 3))).all()
        assert (added >= 1).all()
        np.testing.assert_array_equal(labels, LABELS[:4])

    def test_batches_get_random_numbers_of_their_own(self, generate, write_dataset):
        path = write_dataset(np.zeros((40, 2, 2, 3), np.uint8), name="black.hdf5")
        generator = HDF5DatasetGenerator(path, 20, aug=OldFlow())
        added = [generator[index][0][:, 0, 0, 0].tolist() for index in (0, 1)]
        generator.epoch = 1
        added.append(generator[0][0][:, 0, 0, 0].tolist())
        generator.close()
        assert len(set(map(tuple, added))) == 3

    def test_keras_s_own_image_data_generator_still_works(self, generate, images):
        legacy = pytest.importorskip("keras.src.legacy.preprocessing.image")
        flipped = generate(aug=legacy.ImageDataGenerator(horizontal_flip=True))
        batches = [np.concatenate([flipped[i][0] for i in range(3)]) for _ in range(2)]
        np.testing.assert_array_equal(*batches)
        as_stored = (batches[0] == images).all(axis=(1, 2, 3))
        mirrored = (batches[0] == images[:, :, ::-1]).all(axis=(1, 2, 3))
        assert (as_stored ^ mirrored).all()
        assert as_stored.any()
        assert mirrored.any()


class TestGenerator:
    def test_two_passes_are_two_epochs(self, generate):
        generator = generate(shuffle=True)
        batches = list(generator.generator(passes=2))
        assert [len(labels) for _, labels in batches] == [4, 4, 3, 4, 4, 3]
        for epoch, index in itertools.product(range(2), range(3)):
            generator.epoch = epoch
            assert_batches_equal(batches[3 * epoch + index], generator[index])

    def test_by_default_it_never_ends(self, generate):
        rows = [len(labels) for _, labels in itertools.islice(generate().generator(), 30)]
        assert rows == [4, 4, 3] * 10

    def test_it_begins_with_the_current_epoch(self, generate):
        generator = generate(shuffle=True)
        generator.epoch = 7
        assert_batches_equal(next(generator.generator()), generator[0])

    def test_no_passes_give_nothing(self, generate):
        assert list(generate().generator(passes=0)) == []


class TestClassWeights:
    def test_balanced_weights_give_each_class_the_same_share(self, generate):
        generator = generate(class_weight="balanced", binarize=False)
        labels, weights = (np.concatenate([generator[i][k] for i in range(3)]) for k in (1, 2))
        np.testing.assert_allclose(weights, (N / (3 * np.bincount(LABELS)))[labels], rtol=1e-6)
        np.testing.assert_allclose(np.bincount(labels, weights), N / 3, rtol=1e-6)

    def test_weights_may_be_given(self, generate):
        _, labels, weights = generate(class_weight={0: 1.0, 1: 5, 2: 0.25}, binarize=False)[0]
        np.testing.assert_array_equal(weights, np.array([1, 5, 0.25])[labels])

    @pytest.mark.parametrize("wrong", ["equal", {0: 1, 1: 1}, {0: 1, 1: 1, 2: 1, 3: 1}, [1, 1, 1], 2.0])
    def test_other_weights_are_refused(self, generate, wrong):
        with pytest.raises(UserError, match=r'class_weight: must be "balanced" or a weight for each class 0\.\.2; rec'):
            generate(class_weight=wrong)


class TestMistakes:
    @pytest.mark.parametrize("classes", [2, 1])
    def test_there_must_be_a_class_for_each_label(self, generate, classes):
        message = rf"classes: must exceed every label of .*data\.hdf5, .* is 2; received {classes}; pass classes=3"
        with pytest.raises(UserError, match=message):
            generate(classes=classes)

    @pytest.mark.parametrize("aug", ["flip", 5, np.fliplr])
    def test_augmentation_must_be_able_to_augment(self, generate, aug):
        with pytest.raises(UserError, match="aug: must have a method preprocess or flow; received"):
            generate(aug=aug)

    def test_the_loader_s_rules_hold(self, generate):
        with pytest.raises(UserError, match="batch_size: must be at least 1; received 0"):
            generate(batch_size=0)
        with pytest.raises(UserError, match="preprocessors: each must have a method preprocess"):
            generate(preprocessors=["mean"])

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(UserError, match=r"data set: .*none\.hdf5 does not exist"):
            HDF5DatasetGenerator(tmp_path / "none.hdf5", 4)

    @pytest.mark.parametrize("index", [3, -1])
    def test_there_are_no_other_batches(self, generate, index):
        with pytest.raises(IndexError, match=f"batch {index} of 3"):
            generate()[index]


class TestLife:
    def test_closing_twice_is_harmless_and_the_file_opens_again(self, generate):
        generator = generate()
        expected, _ = generator[0], generator.db
        generator.close()
        generator.close()
        assert_batches_equal(generator[0], expected)
        assert generator.db["images"].shape[0] == N

    def test_a_copy_by_pickle_gives_the_same_batches(self, generate):
        generator = generate(preprocessors=[PatchPreprocessor(3, 3)], shuffle=True, class_weight="balanced")
        generator.epoch, _ = 4, generator.db
        expected = generator[2]
        copy = pickle.loads(pickle.dumps(generator))
        assert copy.epoch == 4
        assert_batches_equal(copy[2], expected)
        copy.close()

    def test_files_of_other_makers_are_read(self, tmp_path, images):
        with h5py.File(tmp_path / "book.hdf5", "w") as file:
            file.create_dataset("images", data=images.astype(np.float64), chunks=True, compression="gzip")
            file["labels"] = LABELS.astype(np.uint8)
        generator = HDF5DatasetGenerator(tmp_path / "book.hdf5", 4, [MeanPreprocessor(1, 2, 3)], classes=3)
        np.testing.assert_allclose(generator[1][0], images[4:8] - np.array([3, 2, 1]), atol=1e-4)
        generator.close()

    def test_feature_vectors_are_fed_too(self, tmp_path, rng):
        features = rng.normal(size=(N, 6)).astype(np.float32)
        with HDF5DatasetWriter((N, 6), tmp_path / "f.hdf5", "features") as writer:
            writer.add(features, LABELS)
        generator = HDF5DatasetGenerator(tmp_path / "f.hdf5", 4, classes=3, binarize=False)
        np.testing.assert_array_equal(generator[2][0], features[8:])
        generator.close()
