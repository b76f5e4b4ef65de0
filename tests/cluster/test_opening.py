"""Names of clusters, and errors about those that cannot be used."""

import os
import sys

import chores
import pytest

from pyimagesearch.cluster import open_cluster
from pyimagesearch.errors import UserError


@pytest.mark.parametrize("spec", ["", "local:0", "local:x", "lokal", "10.0.0.1:8786", "tcp://10.0.0.1", "http://a:1"])
def test_others_are_refused(spec):
    with pytest.raises(UserError, match=r"cluster: must be local, local:N .* received"), open_cluster(spec):
        pass


def test_no_cluster_is_this_process():
    with open_cluster(None, threads=3) as cluster:
        assert not cluster.elsewhere
        [(task, result)] = cluster.run(chores.threads, [1], label="Counting", total=1)
    assert (task, result) == (1, 3)


def test_a_scheduler_that_does_not_answer_is_named():
    with (
        pytest.raises(UserError, match=r"cluster: no Dask scheduler answers at tcp://127\.0\.0\.1:1 .*start one"),
        open_cluster("tcp://127.0.0.1:1", seconds=0.3),
    ):
        pass


def test_a_scheduler_without_workers_is_no_cluster(farm):
    address = farm.start(workers=0)
    with pytest.raises(UserError, match=rf"{address} has no workers; start some"), open_cluster(address, seconds=1):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"pip install 'pyimagesearch\[cluster\]'"), open_cluster("local"):
        pass


def test_workers_of_other_versions_are_refused():
    wrong = pytest.raises(UserError, match=rf"has library \d+ instead of {os.getpid()}; install the same versions")
    with wrong, open_cluster("local:1", versions=chores.differs):
        pass
