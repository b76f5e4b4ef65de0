import numpy as np
import pytest

from pyimagesearch.io.batching.randomness import DrawnNumbers, uniforms

ROWS = np.arange(2000)


def test_numbers_lie_in_the_half_open_unit_interval_and_fill_it():
    numbers = uniforms(1, 2, ROWS, 10)
    assert numbers.shape == (2000, 10)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    histogram = np.histogram(numbers, 10, (0, 1))[0] / numbers.size
    np.testing.assert_allclose(histogram, 0.1, atol=0.01)


def test_a_row_s_numbers_do_not_depend_on_the_other_rows(rng):
    numbers = uniforms(1, 2, ROWS, 5)
    some = rng.permutation(ROWS)[:300]
    np.testing.assert_array_equal(uniforms(1, 2, some, 5), numbers[some])


def test_more_draws_leave_the_first_ones_alone():
    np.testing.assert_array_equal(uniforms(1, 2, ROWS, 9)[:, :4], uniforms(1, 2, ROWS, 4))


@pytest.mark.parametrize("seed", [0, 1, 42, -1, 2**63, 2**64 + 5, 10**30])
def test_any_whole_number_is_a_seed(seed):
    numbers = uniforms(seed, 0, ROWS, 2)
    np.testing.assert_array_equal(numbers, uniforms(seed, 0, ROWS, 2))
    assert len(np.unique(numbers)) == numbers.size


def test_seeds_epochs_rows_and_draws_are_independent():
    streams = [uniforms(seed, epoch, ROWS, 3)[:, k] for seed in (0, 1) for epoch in (0, 1) for k in range(3)]
    streams += [stream[::-1] for stream in streams]
    off_diagonal = np.corrcoef(streams) - np.eye(len(streams))
    assert abs(off_diagonal).max() < 0.1


def test_drawn_numbers_are_handed_out_in_turn():
    drawn = DrawnNumbers([0.1, 0.2, 0.3])
    assert [list(drawn.random(2)), list(drawn.random(1))] == [[0.1, 0.2], [0.3]]
