from itertools import chain

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.order import EpochOrder
from pyimagesearch.io.batching.share import Share, SharedBatches

SIZES = [(1, 4, 1), (10, 4, 1), (10, 4, 2), (13, 4, 4), (16, 8, 4), (101, 12, 3), (7, 12, 4), (96, 32, 4), (5, 2, 2)]


def shares(n, batch_size, training, count, epoch=0):
    """For each batch, the rows of every process."""
    batches = [SharedBatches(n, batch_size, training, Share(index, count)) for index in range(count)]
    order = EpochOrder(n, 3, epoch, training)
    assert len({len(each) for each in batches}) == 1
    return [[each.rows(order, i).tolist() for each in batches] for i in range(len(batches[0]))]


@pytest.mark.parametrize(("n", "batch_size", "count"), SIZES)
@pytest.mark.parametrize("training", [True, False])
def test_all_processes_get_equally_many_rows_of_every_batch(n, batch_size, count, training):
    for batch in shares(n, batch_size, training, count):
        assert len({len(rows) for rows in batch}) == 1
        assert 1 <= len(batch[0]) <= batch_size // count


@pytest.mark.parametrize(("n", "batch_size", "count"), SIZES)
def test_together_they_train_on_the_batches_of_one_process(n, batch_size, count):
    together = [list(chain(*batch)) for batch in shares(n, batch_size, True, count)]
    alone = [batch[0] for batch in shares(n, batch_size, True, 1)]
    assert together[:-1] == alone[: len(together) - 1]
    assert together[-1] == alone[len(together) - 1][: len(together[-1])]
    assert sum(map(len, together)) == n - n % count


@pytest.mark.parametrize(("n", "batch_size", "count"), SIZES)
def test_an_evaluation_visits_every_row_equally_often(n, batch_size, count):
    visited = list(chain(*chain(*shares(n, batch_size, False, count))))
    visits = np.bincount(visited, minlength=n)
    assert visits.min() == visits.max() <= count


@pytest.mark.parametrize("training", [True, False])
def test_the_devices_of_a_process_can_share_its_rows_evenly(training):
    shared = [SharedBatches(50, 12, training, Share(index, 2, 3)) for index in range(2)]
    order = EpochOrder(50, 3, 0, training)
    batches = [[each.rows(order, i) for each in shared] for i in range(len(shared[0]))]
    assert all(len(rows) % 3 == 0 for batch in batches for rows in batch)
    visits = np.bincount(np.concatenate(list(chain(*batches))), minlength=50)
    assert visits.sum() == (48 if training else 150)
    assert set(visits.tolist()) == ({0, 1} if training else {3})


def test_rows_that_are_left_out_are_others_in_other_epochs():
    left = {tuple(set(range(50)) - set(chain(*chain(*shares(50, 8, True, 4, epoch))))) for epoch in range(20)}
    assert len(left) > 10


@pytest.mark.parametrize(
    ("n", "batch_size", "index", "count", "message"),
    [
        (10, 4, 2, 2, r"share: must have an index below a count of at least 1.*index=2, count=2"),
        (10, 4, -1, 2, r"share: .*index=-1, count=2"),
        (10, 5, 0, 2, r"batch_size: must be a multiple of the 2 devices.*received 5; pass 6"),
        (3, 4, 0, 4, r"share: 4 devices need a row each; received 3 rows; use fewer"),
    ],
)
def test_what_cannot_be_shared_is_refused(n, batch_size, index, count, message):
    with pytest.raises(UserError, match=message):
        SharedBatches(n, batch_size, True, Share(index, count))
