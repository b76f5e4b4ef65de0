import os
import subprocess
import sys
import threading
import time

import cv2
import pytest

from pyimagesearch.utils.parallel import OneOpenCVThread, cpu_count, ctrl_c_held_back, map_ahead


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ahead", [1, 4, 100])
def test_results_come_in_the_order_of_the_items(threads, ahead):
    def slow_when_even(item):
        time.sleep(0.002 * (item % 2 == 0))
        return item * item

    assert list(map_ahead(slow_when_even, range(20), threads, ahead)) == [i * i for i in range(20)]


def test_nothing_gives_nothing():
    assert list(map_ahead(str, [], 2, 4)) == []


def test_only_so_many_results_wait():
    begun = []
    results = map_ahead(lambda item: begun.append(item) or item, iter(range(1000)), 2, 5)
    for taken in range(20):
        assert next(results) == taken
        assert len(begun) <= taken + 5
    results.close()


def test_an_endless_source_is_fine():
    def endless():
        number = 0
        while True:
            yield number
            number += 1

    results = map_ahead(str, endless(), 2, 5)
    assert [next(results) for _ in range(3)] == ["0", "1", "2"]
    results.close()


def test_threads_work_at_the_same_time():
    together = threading.Barrier(3, timeout=10)
    assert len(list(map_ahead(lambda _: together.wait(), range(3), 3, 3))) == 3


def test_an_exception_comes_in_its_item_s_place():
    results = map_ahead(lambda item: 1 / (item - 3), range(100), 2, 8)
    assert [next(results) for _ in range(3)] == [1 / -3, 1 / -2, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("end", ["exhausted", "closed", "failed"])
def test_no_thread_is_left_behind(end):
    before = threading.active_count()
    results = map_ahead(lambda item: 1 // (item - (5 if end == "failed" else -1)), range(10), 3, 6)
    if end == "closed":
        next(results)
        results.close()
    elif end == "failed":
        with pytest.raises(ZeroDivisionError):
            list(results)
    else:
        list(results)
    assert threading.active_count() == before


def test_processors_are_counted():
    assert 1 <= cpu_count() <= (os.cpu_count() or 1)


def test_processes_that_are_started_meanwhile_leave_ctrl_c_to_this_one():
    look = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with ctrl_c_held_back():
        inside = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    after = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert (inside, after) == ("True\n", "False\n")


def test_opencv_has_its_threads_back_after_the_last_block(monkeypatch):
    monkeypatch.setattr(OneOpenCVThread, "_blocks", 0)  # whatever other tests left open
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        results = map_ahead(lambda _: cv2.getNumThreads(), range(5), 2, 2)
        assert next(results) == 1
        with OneOpenCVThread():
            results.close()
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
