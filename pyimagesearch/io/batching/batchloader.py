"""The engine under `HDF5DatasetGenerator`, without Keras: order -> read -> preprocess -> batch."""

import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.bufferpool import BufferPool
from pyimagesearch.io.batching.chain import Chain
from pyimagesearch.io.batching.order import EpochOrder
from pyimagesearch.io.batching.randomness import uniforms
from pyimagesearch.io.batching.share import Share, SharedBatches
from pyimagesearch.io.encodings.row import RowReader
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.reading.rows import open_rows, warnings_of
from pyimagesearch.utils.parallel import OneOpenCVThread, cpu_count

_BATCHES_AHEAD = 2

logger = logging.getLogger(__name__)


class _PendingBatch(NamedTuple):
    """A batch that threads are filling, block by block."""

    rows: np.ndarray
    images: np.ndarray
    blocks: list[Future[None]]

    def wait(self) -> np.ndarray:
        for block in self.blocks:
            block.result()
        return self.images

    def cancel(self) -> None:
        for block in self.blocks:
            block.cancel()


class BatchLoader:
    """Batches of preprocessed rows, each a pure function of (epoch, index).

    Every batch is a fresh array, owned by whoever receives it. The object pickles; every process opens its
    own file and starts its own threads. OpenCV's threads are switched off until the loader is closed: the
    images already keep all processors busy.

    Args:
        path: the HDF5 file.
        batch_size: rows in a batch; the last batch of an epoch may be shorter.
        preprocessors: objects with ``preprocess(image)``, run in order on every row.
        shuffle: visit the rows in another order each epoch.
        seed: seed of the order and of the preprocessors' random numbers.
        dtype: "float32" or "uint8": dtype of the images of a batch.
        threads: threads that preprocess; all processors by default.
        share: the place of a process that trains together with others: it gets its own, equal share of every batch.
        choices: what the user tells of a file of another program.

    Attributes:
        waited: seconds in all in which `batch` waited for a batch that was not ready. Keras asks for several
            batches early and keeps them in a queue: the model itself waited at most as long.

    Raises:
        UserError: an argument breaks a rule, or the file cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        batch_size: int,
        preprocessors: Sequence[Any] = (),
        *,
        shuffle: bool = False,
        seed: int = 0,
        dtype: str = "float32",
        threads: int | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
        choices: Choices | None = None,
    ) -> None:
        if batch_size < 1:
            raise UserError(f"batch_size: must be at least 1; received {batch_size}")
        if threads is not None and threads < 1:
            raise UserError(f"threads: must be at least 1, or None for all; received {threads}")
        if dtype not in ("float32", "uint8", np.float32, np.uint8):
            raise UserError(f'dtype: must be "float32" or "uint8"; received {dtype!r}')
        self.header = read_header(path, choices)
        for warning in warnings_of(self.header, shuffle):
            logger.warning(warning)
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.dtype = np.dtype(dtype)
        self.threads = threads or cpu_count()
        self.waited = 0.0
        self._chain = Chain(preprocessors, seed)
        self._batches = SharedBatches(self.header.shape[0], batch_size, shuffle, share)
        self._orders: dict[int, EpochOrder] = {}
        self._process = -1
        self._reader: RowReader | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._give_opencv_back: weakref.finalize | None = None
        self._ahead: dict[tuple[int, int], _PendingBatch] = {}
        self._lock = threading.Lock()
        self._buffers = BufferPool()
        self.image_shape = self._probe()

    @property
    def num_rows(self) -> int:
        """Rows in the file."""
        return self.header.shape[0]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._batches)

    def rows(self, epoch: int, index: int) -> np.ndarray:
        """Return the indexes of the rows of batch ``index`` of ``epoch``, int64 of shape (batch,)."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        orders = self._orders  # read once: another thread may put other epochs there
        if epoch not in orders:
            order = EpochOrder(self.num_rows, self.seed, epoch, self.shuffle)
            orders = self._orders = {**dict(list(orders.items())[-1:]), epoch: order}
        return self._batches.rows(orders[epoch], index)

    def batch(self, epoch: int, index: int) -> np.ndarray:
        """Return the images of batch ``index`` of ``epoch``, and start on those that follow it."""
        return self.indexed_batch(epoch, index)[1]

    def indexed_batch(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the indexes of the rows of a batch as well, as `rows` does, and the images, as `batch` does."""
        self._ready()
        with self._lock:
            pending = self._ahead.pop((epoch, index), None)
            if pending is None:
                pending = self._begin(epoch, self.rows(epoch, index))
            wanted = self._following(epoch, index)
            for key in self._ahead.keys() - set(wanted):
                self._ahead.pop(key).cancel()
            for key in wanted:
                if key not in self._ahead:
                    self._ahead[key] = self._begin(key[0], self.rows(*key))
        began = time.perf_counter()
        images = pending.wait()
        self.waited += time.perf_counter() - began
        return pending.rows, images

    def _following(self, epoch: int, index: int) -> list[tuple[int, int]]:
        """Return the next batches; when shuffling, the last ones of an epoch are followed by the first of the next."""
        count = len(self)
        following = range(index + 1, index + 1 + _BATCHES_AHEAD)
        return [(epoch + i // count, i % count) for i in following if self.shuffle or i < count]

    def images(self, epoch: int, rows: np.ndarray) -> np.ndarray:
        """Return the preprocessed ``rows`` as they look in ``epoch``.

        Returns:
            ndarray of shape ``(len(rows), *image_shape)``, of the loader's dtype.
        """
        return self._begin(epoch, rows).wait()

    def _begin(self, epoch: int, rows: np.ndarray) -> _PendingBatch:
        reader, pool = self._ready()
        batch = self._buffers.empty((len(rows), *self.image_shape), self.dtype)
        numbers = self._draw(epoch, rows)

        def fill(start: int, stop: int) -> None:
            wanted = rows[start:stop].tolist()
            for place, (row, image) in enumerate(zip(wanted, reader.read(wanted), strict=True), start):
                self._chain.run(image, numbers[place], row, epoch, batch[place])

        size = max(1, math.ceil(len(rows) / self.threads))
        blocks = [pool.submit(fill, start, start + size) for start in range(0, len(rows), size)]
        return _PendingBatch(rows, batch, blocks)

    def close(self) -> None:
        """Close the file and end the threads; harmless when there are none."""
        if self._process == os.getpid():
            for pending in self._ahead.values():
                pending.cancel()
            if self._pool is not None:
                self._pool.shutdown()
            if self._reader is not None:
                self._reader.close()
            if self._give_opencv_back is not None:
                self._give_opencv_back()
        self._forget_process()

    def _draw(self, epoch: int, rows: np.ndarray) -> list[list[float]]:
        return uniforms(self.seed, epoch, rows, self._chain.draws).tolist()

    def _probe(self) -> tuple[int, ...]:
        reader, _ = self._ready()
        first = reader.read([0])[0]
        result = self._chain.probe(first, self._draw(0, np.zeros(1, np.int64))[0], self.dtype)
        if self.dtype == np.uint8 and result.dtype != np.uint8:
            raise UserError(
                f'dtype: "uint8" needs preprocessors that keep 8-bit pixels; they gave {result.dtype}; '
                'leave the mean to the model\'s first layer, or pass dtype="float32"'
            )
        return result.shape

    def _ready(self) -> tuple[RowReader, ThreadPoolExecutor]:
        if self._process != os.getpid() or self._reader is None or self._pool is None:
            self._forget_process()
            self._process = os.getpid()
            self._reader = open_rows(self.header)
            opencv = OneOpenCVThread()
            opencv.__enter__()
            self._give_opencv_back = weakref.finalize(self, opencv.__exit__)
            self._give_opencv_back.atexit = False
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="BatchLoader")
        return self._reader, self._pool

    def _forget_process(self) -> None:
        """Drop what a fork or a pickle cannot carry over."""
        self._process, self._reader, self._pool, self._give_opencv_back = -1, None, None, None
        self._ahead, self._lock = {}, threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        bare: dict[str, Any] = {
            "_process": -1,
            "_reader": None,
            "_pool": None,
            "_give_opencv_back": None,
            "_orders": {},
            "_ahead": {},
            "_lock": None,
            "_buffers": BufferPool(),
        }
        return {**self.__dict__, **bare}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_process()
