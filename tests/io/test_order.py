import numpy as np
import pytest

from pyimagesearch.io.order import epoch_order


@pytest.mark.parametrize("n", [1, 2, 1000])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_row_comes_once(n, shuffle):
    assert sorted(epoch_order(n, 3, 1, shuffle).tolist()) == list(range(n))


def test_without_shuffling_the_order_is_that_of_the_file():
    np.testing.assert_array_equal(epoch_order(50, 3, 1, False), np.arange(50))


@pytest.mark.parametrize("seed", [0, 42, -1, 2**64 - 1])
def test_equal_seeds_and_epochs_give_equal_orders(seed):
    np.testing.assert_array_equal(epoch_order(50, seed, 2, True), epoch_order(50, seed, 2, True))


def test_seeds_and_epochs_have_orders_of_their_own():
    orders = {epoch_order(50, seed, epoch, True).tobytes() for seed in (0, 1) for epoch in range(10)}
    assert len(orders) == 20


def test_no_row_keeps_its_place_more_often_than_by_chance():
    orders = np.stack([epoch_order(20, 0, epoch, True) for epoch in range(2000)])
    places = (orders == np.arange(20)).mean(axis=0)
    np.testing.assert_allclose(places, 1 / 20, atol=0.02)
