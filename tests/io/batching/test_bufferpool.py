"""Memory is used again, and never while anybody can see it."""

import threading

import numpy as np

from pyimagesearch.io.batching.bufferpool import BufferPool

SHAPE, DTYPE = (4, 32, 32, 3), np.dtype("float32")


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_of_an_array_that_is_gone_is_used_again():
    pool = BufferPool()
    first = address(pool.empty(SHAPE, DTYPE))
    assert address(pool.empty(SHAPE, DTYPE)) == first


def test_arrays_that_are_held_never_share_memory():
    pool = BufferPool()
    held = [pool.empty(SHAPE, DTYPE) for _ in range(20)]
    assert len({address(array) for array in held}) == 20


def test_a_view_is_enough_to_hold_the_memory():
    pool = BufferPool()
    for view_of in (
        lambda a: a[1:2, 3],
        lambda a: a.reshape(-1)[5:9],
        lambda a: a.transpose(3, 0, 1, 2)[0],
        lambda a: a.view(np.uint8),
        lambda a: memoryview(a),
        lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, axis=0),
    ):
        array = pool.empty(SHAPE, DTYPE)
        array[...] = 7
        view = view_of(array)
        del array
        for _ in range(4):
            pool.empty(SHAPE, DTYPE)[...] = 9
        assert (np.asarray(view_of(np.full(SHAPE, 7, DTYPE))) == np.asarray(view)).all()


def test_arrays_are_of_the_shape_and_dtype_asked_for():
    pool = BufferPool()
    for shape, dtype in [((3, 5), "uint8"), ((3, 5), "float32"), ((2, 2, 2), "uint8"), ((3, 5), "uint8")]:
        array = pool.empty(shape, np.dtype(dtype))
        array[...] = 1
        assert (array.shape, array.dtype, array.sum()) == (shape, dtype, np.prod(shape))


def test_many_threads_never_get_the_same_memory():
    pool, wrong = BufferPool(), []

    def work(number):
        for _ in range(2000):
            array = pool.empty((16, 16), DTYPE)
            array[...] = number
            if (array != number).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
