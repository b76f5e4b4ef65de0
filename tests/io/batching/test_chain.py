"""Preprocessors in a row, the package's and a user's own."""

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.batching.randomness import DrawnNumbers, uniforms
from pyimagesearch.preprocessing import (
    AugmentPreprocessor,
    CropPreprocessor,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)


class Negative:
    """A user's preprocessor: plain and careful."""

    def preprocess(self, image):
        return 255 - image


class InPlace:
    """A user's preprocessor that writes into the image that it is given."""

    def preprocess(self, image):
        image //= 2
        return image


class Noise:
    """A user's preprocessor that wants random numbers."""

    def preprocess(self, image, rng):
        return image + rng.normal(size=image.shape).astype(np.float32)


class SometimesMirrored:
    """A user's preprocessor that gives back now its argument, now a view of it."""

    def preprocess(self, image):
        return image if image.flat[0] % 2 else image[:, ::-1]


def aug():
    return AugmentPreprocessor(rotation_range=20, horizontal_flip=True, brightness_range=(0.5, 1.5))


def flip():
    return AugmentPreprocessor(horizontal_flip=True)


def mean():
    return MeanPreprocessor(120, 110, 100)


def to_array():
    return ImageToArrayPreprocessor("channels_last")


def by_hand(image, preprocessors, seed, epoch, row):
    """Call the preprocessors one after the other, with the row's random numbers."""
    draws = sum(getattr(p, "draws", 0) for p in preprocessors)
    numbers = DrawnNumbers(uniforms(seed, epoch, np.array([row]), draws)[0].tolist())
    image = image.copy()
    for preprocessor in preprocessors:
        keywords = {"rng": numbers} if getattr(preprocessor, "draws", 0) else {}
        image = preprocessor.preprocess(image, **keywords)
    return image


CHAINS = {
    "none": [],
    "of the book's training": [PatchPreprocessor(7, 6), mean(), to_array()],
    "of the book's validation": [SimplePreprocessor(7, 6), mean(), to_array()],
    "augmented before the mean": [PatchPreprocessor(7, 6), aug(), mean(), to_array()],
    "augmented after the mean": [PatchPreprocessor(7, 6), mean(), to_array(), aug()],
    "flipped after the mean": [mean(), flip()],
    "flipped and resized to its own size": [flip(), SimplePreprocessor(9, 8)],
    "augmented twice": [aug(), flip(), aug()],
    "ten crops": [CropPreprocessor(7, 6), mean(), to_array()],
    "channels first": [mean(), ImageToArrayPreprocessor("channels_first")],
    "a user's own": [PatchPreprocessor(7, 6), Negative(), mean()],
    "a user's own that writes in place": [PatchPreprocessor(7, 6), InPlace(), mean()],
    "a user's own alone, writing in place": [InPlace()],
    "a user's own after the mean": [mean(), SometimesMirrored()],
}


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (12, 8, 9, 3), np.uint8)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("epoch", [0, 3])
def test_a_batch_is_what_the_chain_gives_by_hand(name, epoch, images, write_dataset):
    path = write_dataset(images)
    loader = BatchLoader(path, 5, CHAINS[name], seed=11, threads=2)
    rows = np.array([7, 0, 11, 3, 2])
    batch = loader.images(epoch, rows)
    loader.close()
    expected = [by_hand(images[row], CHAINS[name], 11, epoch, row) for row in rows]
    np.testing.assert_array_equal(batch, np.stack(expected).astype(np.float32))


@pytest.mark.parametrize("name", CHAINS)
def test_the_file_stays_as_it_is(name, images, write_dataset):
    path = write_dataset(images)
    before = path.read_bytes()
    loader = BatchLoader(path, 12, CHAINS[name], threads=1)
    loader.images(0, np.arange(12))
    loader.close()
    assert path.read_bytes() == before


def test_a_chunked_file_is_read_afresh_when_a_preprocessor_writes_in_place(images, tmp_path):
    import h5py

    with h5py.File(tmp_path / "chunked.hdf5", "w") as file:
        file.create_dataset("images", data=images, chunks=True)
        file["labels"] = np.zeros(12, np.int64)
    loader = BatchLoader(tmp_path / "chunked.hdf5", 12, [InPlace()], threads=2)
    for _ in range(2):
        np.testing.assert_array_equal(loader.images(0, np.arange(12)), images // 2)
    loader.close()


class TestAUsersRandomPreprocessor:
    def batch(self, path, seed=1, epoch=0, rows=range(12), threads=2, preprocessors=None):
        loader = BatchLoader(path, 5, preprocessors or [mean(), Noise()], seed=seed, threads=threads)
        images = loader.images(epoch, np.array(rows))
        loader.close()
        return images

    def test_it_gets_numbers_that_depend_on_seed_epoch_and_row_alone(self, images, write_dataset):
        path = write_dataset(images)
        expected = self.batch(path)
        np.testing.assert_array_equal(self.batch(path, threads=5), expected)
        np.testing.assert_array_equal(self.batch(path, rows=range(11, -1, -1))[::-1], expected)
        assert (self.batch(path, epoch=1) != expected).mean() > 0.9
        assert (self.batch(path, seed=2) != expected).mean() > 0.9

    def test_every_row_gets_numbers_of_its_own(self, write_dataset):
        batch = self.batch(write_dataset(np.zeros((12, 8, 9, 3), np.uint8)), preprocessors=[Noise()])
        assert len({row.tobytes() for row in batch}) == 12

    def test_two_of_them_get_different_numbers(self, write_dataset):
        class FirstNumber:
            def preprocess(self, image, rng):
                return np.append(image, rng.random()).astype(np.float32)

        path = write_dataset(np.zeros((12, 1), np.float32))
        batch = self.batch(path, preprocessors=[FirstNumber(), FirstNumber()])
        assert (batch[:, 1] != batch[:, 2]).all()

    @pytest.mark.parametrize("seed", [-1, 2**70])
    def test_any_whole_number_is_a_seed(self, seed, images, write_dataset):
        assert np.isfinite(self.batch(write_dataset(images), seed=seed)).all()


class TestMistakes:
    @pytest.mark.parametrize("wrong", [None, "mean", np.fliplr], ids=["None", "a name", "a function"])
    def test_what_has_no_preprocess_is_refused(self, wrong, images, write_dataset):
        with pytest.raises(UserError, match=r"preprocessors: each must have a method preprocess\(image\)"):
            BatchLoader(write_dataset(images), 2, [wrong])

    def test_what_returns_no_array_is_refused(self, images, write_dataset):
        class Forgetful:
            def preprocess(self, image):
                image.sum()

        with pytest.raises(UserError, match="preprocessors: the last must return an array; received NoneType"):
            BatchLoader(write_dataset(images), 2, [Forgetful()])

    def test_shapes_that_differ_are_refused(self, write_dataset, numbered_images):
        class CutByContent:
            def preprocess(self, image):
                return image[: 6 - image[0, 0, 0]]

        loader = BatchLoader(write_dataset(numbered_images(4)), 4, [CutByContent()])
        with pytest.raises(UserError, match=r"in one shape; row \d has shape \(\d, 5, 3\), the first had \(6, 5, 3\)"):
            loader.images(0, np.arange(4))
        loader.close()

    def test_a_preprocessor_s_own_error_comes_through_and_the_loader_goes_on(self, write_dataset, numbered_images):
        class RefusesRow3:
            def preprocess(self, image):
                if image[0, 0, 0] == 3:
                    raise ZeroDivisionError("row 3")
                return image

        images = numbered_images(6)
        loader = BatchLoader(write_dataset(images), 6, [RefusesRow3()], threads=2)
        with pytest.raises(ZeroDivisionError, match="row 3"):
            loader.images(0, np.arange(6))
        np.testing.assert_array_equal(loader.images(0, np.array([5, 1])), images[[5, 1]])
        loader.close()
