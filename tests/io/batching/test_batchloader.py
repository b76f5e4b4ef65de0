import multiprocessing
import pickle
import sys
import threading

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.batching.share import Share
from pyimagesearch.preprocessing import AugmentPreprocessor, MeanPreprocessor, PatchPreprocessor
from pyimagesearch.utils.parallel import OneOpenCVThread

N = 23


@pytest.fixture
def images(numbered_images):
    return numbered_images(N, height=9, width=8)


@pytest.fixture
def path(write_dataset, images):
    return write_dataset(images)


@pytest.fixture
def load(path):
    """Return a function that makes a loader; all are closed in the end."""
    made = []

    def make(batch_size=5, preprocessors=(), **options):
        made.append(BatchLoader(path, batch_size, preprocessors, **{"shuffle": True, **options}))
        return made[-1]

    yield make
    for loader in made:
        loader.close()


def random_chain():
    return [
        PatchPreprocessor(6, 7),
        AugmentPreprocessor(rotation_range=20, horizontal_flip=True),
        MeanPreprocessor(9, 8, 7),
    ]


def epoch_rows(loader, epoch):
    return np.concatenate([loader.rows(epoch, index) for index in range(len(loader))])


class TestOrder:
    @pytest.mark.parametrize("batch_size", [1, 4, 5, N - 1, N, N + 1, 1000])
    def test_an_epoch_visits_every_row_once_and_its_last_batch_is_short(self, load, batch_size):
        loader = load(batch_size)
        sizes = [len(loader.batch(0, index)) for index in range(len(loader))]
        assert len(sizes) == -(-N // batch_size)
        assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
        assert sum(sizes) == N
        assert sorted(epoch_rows(loader, 0)) == list(range(N))

    def test_epochs_have_orders_of_their_own(self, load):
        orders = {tuple(epoch_rows(load(), epoch).tolist()) for epoch in range(20)}
        assert len(orders) == 20

    def test_equal_seeds_give_equal_orders_and_others_differ(self, load):
        first, same, other = (epoch_rows(load(seed=seed), 3).tolist() for seed in (4, 4, 5))
        assert first == same != other

    def test_the_order_does_not_depend_on_the_batch_size(self, load):
        assert epoch_rows(load(3), 2).tolist() == epoch_rows(load(10), 2).tolist()

    def test_without_shuffling_the_order_is_that_of_the_file(self, load):
        loader = load(shuffle=False)
        assert [epoch_rows(loader, epoch).tolist() for epoch in (0, 7)] == [list(range(N))] * 2

    def test_a_batch_holds_the_rows_that_it_says(self, load):
        loader = load()
        for index in range(len(loader)):
            rows = loader.batch(6, index)[:, 0, 0, 0]
            np.testing.assert_array_equal(rows, loader.rows(6, index))

    @pytest.mark.parametrize("index", [-1, 5, 99])
    def test_there_are_no_other_batches(self, load, index):
        with pytest.raises(IndexError, match=f"batch {index} of 5"):
            load().batch(0, index)


class TestShare:
    def test_processes_that_share_batches_read_their_own_rows_as_one_process_sees_them(self, load):
        alone = load(6, random_chain(), seed=3)
        shares = [load(6, random_chain(), seed=3, share=Share(index, 3)) for index in range(3)]
        for index in range(3):  # batches of 6, 6, 6; the last one of 5 rows is shared out but for 2
            together = np.concatenate([loader.batch(1, index) for loader in shares])
            np.testing.assert_array_equal(together, alone.batch(1, index))
        last = np.concatenate([loader.batch(1, 3) for loader in shares])
        np.testing.assert_array_equal(last, alone.batch(1, 3)[:3])
        assert [len(loader) for loader in shares] == [4, 4, 4]

    def test_in_an_evaluation_no_row_is_left_out(self, load):
        shares = [load(6, shuffle=False, share=Share(index, 3)) for index in range(3)]
        visits = np.bincount(np.concatenate([epoch_rows(loader, 0) for loader in shares]))
        assert visits.tolist() == [3] * N


class TestPurity:
    def reference(self, load):
        """The pixels of each row in epoch 2."""
        loader = load(1, random_chain(), seed=3, threads=1)
        return loader.images(2, np.arange(N))

    @pytest.mark.parametrize("threads", [1, 2, 5])
    @pytest.mark.parametrize("batch_size", [1, 3, 7, 50])
    def test_a_row_looks_the_same_for_any_number_of_threads_and_any_batch_size(self, load, threads, batch_size):
        expected = self.reference(load)
        loader = load(batch_size, random_chain(), seed=3, threads=threads)
        for index in range(len(loader)):
            np.testing.assert_array_equal(loader.batch(2, index), expected[loader.rows(2, index)])

    def test_a_batch_does_not_depend_on_what_was_asked_before(self, load, rng):
        first, second = load(4, random_chain(), threads=2), load(4, random_chain(), threads=2)
        expected = {(e, i): first.batch(e, i) for e in range(3) for i in range(len(first))}
        keys = list(expected)
        for _ in range(3):
            for place in rng.permutation(len(keys)):
                np.testing.assert_array_equal(second.batch(*keys[place]), expected[keys[place]])

    def test_epochs_and_seeds_give_a_row_other_random_numbers(self, load):
        loader, other = load(5, random_chain(), seed=3), load(5, random_chain(), seed=4)
        rows = np.arange(N)
        looks = [loader.images(0, rows), loader.images(1, rows), other.images(0, rows)]
        for a, b in ((0, 1), (0, 2), (1, 2)):
            different = (looks[a] != looks[b]).any(axis=(1, 2, 3))
            assert different.mean() > 0.9

    @pytest.mark.parametrize("what", ["rows", "batches"])
    def test_threads_that_ask_at_once_get_what_they_ask_for(self, load, what):
        loader = load(1, threads=2)
        expected = {epoch: epoch_rows(load(1), epoch) for epoch in range(4)}
        wrong = []

        def ask(epoch):
            for index in list(range(N)) * (40 if what == "rows" else 2):
                row = loader.rows(epoch, index)[0] if what == "rows" else loader.batch(epoch, index)[0, 0, 0, 0]
                if row != expected[epoch][index]:
                    wrong.append((epoch, index))

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            askers = [threading.Thread(target=ask, args=(epoch,)) for epoch in expected]
            for asker in askers:
                asker.start()
            for asker in askers:
                asker.join()
        finally:
            sys.setswitchinterval(interval)
        assert not wrong

    def test_no_rows_are_an_empty_batch(self, load):
        assert load().images(0, np.arange(0)).shape == (0, 9, 8, 3)


class TestOwnership:
    @pytest.mark.parametrize("preprocessors", [[], random_chain()], ids=["none", "random"])
    def test_batches_never_share_memory(self, load, preprocessors):
        loader = load(5, preprocessors)
        batches = [loader.batch(epoch, index) for epoch in (0, 1) for index in (0, 1, 2, 1, 0)]
        for i, first in enumerate(batches):
            assert not any(np.shares_memory(first, second) for second in batches[i + 1 :])

    def test_a_batch_may_be_written_to(self, load, path):
        before = path.read_bytes()
        loader = load(dtype="uint8")
        expected = loader.batch(0, 0).copy()
        loader.batch(0, 0)[:] = 0
        np.testing.assert_array_equal(loader.batch(0, 0), expected)
        assert path.read_bytes() == before


class TestDtype:
    def test_float32_is_the_default(self, load, images):
        batch = load(shuffle=False).batch(0, 1)
        assert batch.dtype == np.float32
        np.testing.assert_array_equal(batch, images[5:10])

    def test_uint8_keeps_pixels_as_they_are(self, load, images):
        batch = load(preprocessors=[PatchPreprocessor(8, 9)], shuffle=False, dtype="uint8").batch(0, 1)
        assert batch.dtype == np.uint8
        np.testing.assert_array_equal(batch, images[5:10])

    def test_uint8_needs_preprocessors_that_keep_8_bits(self, load):
        with pytest.raises(UserError, match=r'dtype: "uint8" needs preprocessors that keep 8-bit pixels; .*float32'):
            load(preprocessors=[MeanPreprocessor(1, 2, 3)], dtype="uint8")

    def test_features_are_no_8_bit_pixels(self, write_dataset, rng):
        path = write_dataset(rng.normal(size=(4, 3)).astype(np.float32), name="features.hdf5")
        with pytest.raises(UserError, match='dtype: "uint8" needs'):
            BatchLoader(path, 2, dtype="uint8")

    @pytest.mark.parametrize("dtype", ["float64", "int8", "pixels"])
    def test_other_dtypes_are_refused(self, load, dtype):
        with pytest.raises(UserError, match=f'dtype: must be "float32" or "uint8"; received \'{dtype}\''):
            load(dtype=dtype)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size: must be at least 1; received 0"),
        ({"batch_size": -4}, "batch_size: must be at least 1; received -4"),
        ({"threads": 0}, "threads: must be at least 1, or None for all; received 0"),
    ],
)
def test_a_wrong_argument_is_named(load, arguments, message):
    with pytest.raises(UserError, match=message):
        load(**arguments)


class TestLife:
    def test_closing_twice_is_harmless_and_the_file_opens_again(self, load):
        loader = load(5, random_chain())
        expected = loader.batch(0, 1)
        loader.close()
        loader.close()
        np.testing.assert_array_equal(loader.batch(0, 1), expected)

    def test_a_copy_by_pickle_gives_the_same_batches(self, load):
        loader = load(5, random_chain(), seed=9)
        expected = loader.batch(1, 3)
        copy = pickle.loads(pickle.dumps(loader))
        np.testing.assert_array_equal(copy.batch(1, 3), expected)
        np.testing.assert_array_equal(loader.batch(1, 3), expected)
        copy.close()

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_it_works_in_a_forked_process_while_batches_are_under_way(self, load):
        loader = load(5, random_chain())
        expected = loader.batch(0, 1)  # and those that follow it are begun
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=lambda: sender.send([loader.batch(0, index) for index in (1, 2, 3)]))
        child.start()
        assert receiver.poll(30)
        batches = receiver.recv()
        child.join(30)
        assert child.exitcode == 0
        np.testing.assert_array_equal(batches[0], expected)
        for index in (2, 3):
            np.testing.assert_array_equal(batches[index - 1], loader.batch(0, index))

    def test_it_works_in_a_spawned_process(self, load):
        loader = load(5, random_chain())
        expected = loader.batch(0, 1)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            batch = pool.apply_async(loader.batch, (0, 1)).get(timeout=60)
        np.testing.assert_array_equal(batch, expected)


@pytest.mark.parametrize("options", [{"encoding": "jpeg"}, {"color_order": "RGB"}])
def test_any_encoding_is_loaded(write_dataset, images, options):
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.io.reading.rows import open_rows

    path = write_dataset(images, name="other.hdf5", **options)
    loader = BatchLoader(path, 4, dtype="uint8", threads=2)
    stored = open_rows(read_header(path))
    np.testing.assert_array_equal(loader.batch(0, 1), np.stack(stored.read([4, 5, 6, 7])))
    stored.close()
    loader.close()


def test_opencv_gets_its_threads_back_when_the_last_loader_closes(load, monkeypatch):
    monkeypatch.setattr(OneOpenCVThread, "_blocks", 0)  # whatever loaders other tests left open
    cv2.setNumThreads(2)
    loaders = [load(6), load(6)]
    loaders[0].batch(0, 0)
    assert cv2.getNumThreads() == 1
    loaders[0].close()
    assert cv2.getNumThreads() == 1
    loaders[1].close()
    loaders[1].close()
    assert cv2.getNumThreads() == 2
    loaders[0].batch(0, 0)  # which opens it again
    assert cv2.getNumThreads() == 1
    loaders[0].close()


def test_the_rows_of_a_batch_are_worked_out_once(load, monkeypatch):
    loader = load(6)
    rows, images = loader.indexed_batch(1, 2)
    np.testing.assert_array_equal(rows, loader.rows(1, 2))
    np.testing.assert_array_equal(images, loader.batch(1, 2))
    calls, compute = [], loader.rows
    monkeypatch.setattr(loader, "rows", lambda *key: calls.append(key) or compute(*key))
    for index in range(3):  # and two batches ahead, of which the last is the first of the next epoch
        loader.indexed_batch(5, index)
    assert calls == [(5, 0), (5, 1), (5, 2), (5, 3), (6, 0)]
