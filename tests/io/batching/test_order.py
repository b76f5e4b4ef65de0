import numpy as np
import pytest

from pyimagesearch.io.batching import order
from pyimagesearch.io.batching.order import LARGEST_DRAWN, EpochOrder


def whole(n, seed, epoch, shuffle=True):
    return EpochOrder(n, seed, epoch, shuffle).rows(0, n)


@pytest.fixture(params=["drawn", "calculated"])
def kind(request, monkeypatch):
    if request.param == "calculated":  # as orders of more rows are
        monkeypatch.setattr(order, "LARGEST_DRAWN", 1)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 1000, 1024, 1025, 40_000])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_row_comes_once(n, shuffle, kind):
    assert sorted(whole(n, 3, 1, shuffle).tolist()) == list(range(n))


def test_every_row_of_an_order_that_is_calculated_comes_once():
    n = LARGEST_DRAWN + 12_345
    assert (np.bincount(whole(n, 3, 1), minlength=n) == 1).all()


def test_without_shuffling_the_order_is_that_of_the_file():
    np.testing.assert_array_equal(whole(50, 3, 1, False), np.arange(50))


@pytest.mark.parametrize("seed", [0, 42, -1, 2**64 - 1])
def test_equal_seeds_and_epochs_give_equal_orders(seed, kind):
    np.testing.assert_array_equal(whole(50, seed, 2), whole(50, seed, 2))


def test_seeds_and_epochs_have_orders_of_their_own(kind):
    orders = {whole(50, seed, epoch).tobytes() for seed in (0, 1) for epoch in range(10)}
    assert len(orders) == 20


def test_every_row_comes_to_every_place_equally_often(kind):
    n, epochs = 20, 4000
    orders = np.stack([whole(n, 0, epoch) for epoch in range(epochs)])
    counts = np.stack([np.bincount(orders[:, place], minlength=n) for place in range(n)])
    expected = epochs / n
    spread = ((counts - expected) ** 2 / expected).sum()  # chi-square, 361 degrees of freedom
    assert 260 < spread < 480


def test_neighbours_are_strangers_to_each_other(kind):
    steps = np.diff(whole(20_000, 5, 0))
    assert abs(np.corrcoef(steps[:-1], steps[1:])[0, 1] + 0.5) < 0.03  # as of independent draws
    assert (steps == 1).mean() < 0.001


@pytest.mark.parametrize("n", [1, 1000, 50_000])
@pytest.mark.parametrize("shuffle", [True, False])
def test_parts_are_those_of_the_whole_however_they_are_cut(n, shuffle, kind):
    expected, cut, rng = whole(n, 7, 3, shuffle), EpochOrder(n, 7, 3, shuffle), np.random.default_rng(0)
    for start in rng.integers(0, n, 50).tolist():
        stop = start + int(rng.integers(0, n + 10))
        np.testing.assert_array_equal(cut.rows(start, stop), expected[start:stop])


def test_a_thousand_million_rows_cost_no_more_memory_than_a_few():
    import tracemalloc

    tracemalloc.start()
    endless = EpochOrder(10**9, 1, 0, True)
    rows = np.concatenate([endless.rows(start, start + 256) for start in range(0, 10**9, 10**7)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(np.unique(rows)) == len(rows)
    assert rows.min() < 10**8 < 9 * 10**8 < rows.max()
    assert most < 4e6
