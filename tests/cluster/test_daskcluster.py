"""Tasks on other processes: results, errors, deaths, and an end in time."""

import time

import chores
import pytest

from pyimagesearch.cluster import open_cluster
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import ClusterLostError, UserError
from pyimagesearch.utils.parallel import cpu_count


@pytest.fixture(params=["here", "local"])
def cluster(request, local):
    return ThisProcess() if request.param == "here" else local


def run(cluster, function, tasks, **options):
    return dict(cluster.run(function, tasks, label="Working", total=4 * len(tasks), weight=lambda task: 4, **options))


def test_every_task_has_its_result(cluster):
    assert run(cluster, chores.triple, range(9)) == {n: 3 * n for n in range(9)}
    assert run(cluster, chores.triple, []) == {}


def test_progress_counts_the_units_of_all_tasks(cluster, capsys):
    run(cluster, chores.triple, range(5))
    assert "Working: 100% (20) in " in capsys.readouterr().err


def test_a_result_can_make_another_task_possible(cluster):
    results = run(cluster, chores.triple, [1, 2], follow=lambda task, result: result if result < 20 else None)
    assert results == {1: 3, 3: 9, 9: 27, 2: 6, 6: 18, 18: 54}


def test_errors_arrive_as_what_they_are(cluster):
    with pytest.raises(UserError, match=r"^number: must not be 3; received 3$"):
        run(cluster, chores.fail, range(6))
    with pytest.raises(ZeroDivisionError):
        run(cluster, chores.divide, [1, 0])


def test_workers_share_the_processors_of_a_machine(local):
    share = max(1, cpu_count() // 2)
    assert set(run(local, chores.threads, range(4)).values()) == {share}


def test_a_task_whose_worker_dies_is_done_by_another(local, tmp_path):
    tasks = [tmp_path / str(number) for number in range(3)]
    assert run(local, chores.die_once, tasks) == {task: task.name for task in tasks}


def test_a_task_that_ends_its_workers_is_rescued(local):
    results = run(local, chores.die, range(4), rescue=chores.rescue)
    assert results.pop(2) == "rescued 2"
    assert {task: str(result)[-1] for task, result in results.items()} == {0: "0", 1: "1", 3: "3"}


def test_a_task_that_nothing_is_wrong_with_is_given_up_in_the_end(local):
    with pytest.raises(UserError, match=r"'Working' crashed every worker that took it.*have enough memory"):
        run(local, chores.die, [2], rescue=chores.find_nothing)
    assert run(local, chores.triple, [1]) == {1: 3}


def test_who_leaves_early_stops_the_tasks(local, tmp_path):
    tasks = [tmp_path / str(number) for number in range(6)]

    with pytest.raises(ZeroDivisionError):
        run(local, chores.fail_beside_others, tasks)
    begun = [task.read_text() for task in tasks if task.exists()]
    assert begun
    assert set(begun) == {"stopped"}
    assert run(local, chores.triple, [1]) == {1: 3}


def test_a_folder_that_workers_do_not_see_is_named(local, tmp_path):
    local.check(reads=[tmp_path], folders=[tmp_path / "new"])
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]
    assert not list((tmp_path / "new").iterdir())
    with pytest.raises(UserError, match=rf"cluster: all workers must see .* does not see {tmp_path}/missing of this"):
        local.check(reads=[tmp_path / "missing"])


def test_a_lost_scheduler_is_said_at_once(farm, tmp_path):
    with open_cluster(farm.start()) as cluster:
        tasks = cluster.run(chores.wait_for_gate, [str(tmp_path / "gate")], label="Waiting", total=1)
        farm.kill_scheduler()
        began = time.monotonic()
        with pytest.raises(ClusterLostError, match=r"the scheduler at tcp://.* is gone.*resume=True"):
            next(tasks)
    assert time.monotonic() - began < 5
