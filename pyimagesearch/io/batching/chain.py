"""Run a list of preprocessors on one image, straight into its place in the batch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.randomness import DrawnNumbers

Key = tuple[int, int, int]
"""Seed, epoch and row: what all random numbers of an image depend on."""

_NO_MASK: Any = None


class _Step(NamedTuple):
    run: Callable[..., Any]
    """Called as ``run(image, numbers, key, out)``; ``out`` is None or a place that may be written to."""
    first: int
    """Where its random numbers begin among those of the image."""
    last: int
    """Where they end."""
    writes_out: bool
    """True if it can write its result to ``out``."""


class Chain:
    """A list of preprocessors, planned once and run on every image.

    Args:
        preprocessors: objects with ``preprocess(image) -> image``. One that also takes ``rng`` is
            given random numbers that depend on seed, epoch and row alone; one that also takes
            ``out`` may be asked to write its result there. Ours have ``transform(image, numbers, out)``
            besides: the same without checks, for images of the shape that was checked once.
        seed: seed of all random numbers.

    Attributes:
        draws: count of random numbers that are drawn for each image.

    Raises:
        UserError: an object has no ``preprocess``.
    """

    def __init__(self, preprocessors: Sequence[Any], seed: int) -> None:
        self._preprocessors, self._seed = list(preprocessors), seed & 0xFFFFFFFFFFFFFFFF
        self._shapes: list[tuple[int, ...]] = []
        self._writer: int | None = None
        self._steps: list[_Step] = []
        self.draws = 0
        for index, preprocessor in enumerate(self._preprocessors):
            self._steps.append(_step(preprocessor, index, self.draws))
            self.draws = self._steps[-1].last
        self._plan = self._make_plan()

    def probe(self, image: np.ndarray, numbers: list[float], dtype: Any) -> np.ndarray:
        """Return the result of a first image; learn which preprocessor can write into a batch of ``dtype``.

        Raises:
            UserError: as the preprocessors' own checks, or the last returns no array.
        """
        stages = [image]
        for preprocessor, step in zip(self._preprocessors, self._steps, strict=True):
            if hasattr(preprocessor, "transform"):
                drawn = {"rng": DrawnNumbers(numbers[step.first : step.last])} if step.last > step.first else {}
                stages.append(preprocessor.preprocess(stages[-1], **drawn))
            else:
                stages.append(step.run(stages[-1], numbers[step.first : step.last], (self._seed, 0, 0), None))
        result = stages[-1]
        if not isinstance(result, np.ndarray):
            raise UserError(f"preprocessors: the last must return an array; received {type(result).__name__}")
        self._shapes = [np.shape(stage) for stage in stages]
        self._writer = None
        for index in reversed(range(len(self._steps))) if result.dtype == dtype else ():
            if self._steps[index].writes_out and stages[index + 1] is result:
                self._writer = index
                break
            if stages[index + 1] is not stages[index]:
                break
        self._plan = self._make_plan()
        return result

    def _make_plan(self) -> list[tuple[Callable[..., Any], int, int, bool]]:
        """Flatten the steps into what the loop over images needs."""
        return [(step.run, step.first, step.last, i == self._writer) for i, step in enumerate(self._steps)]

    def run(self, image: np.ndarray, numbers: list[float], row: int, epoch: int, out: np.ndarray) -> None:
        """Write the preprocessed ``image`` into ``out``, of the shape that `probe` found.

        Args:
            numbers: `draws` random numbers in [0, 1).
            row, epoch: to which these belong.

        Raises:
            UserError: the result has another shape than that of the first image.
        """
        key = (self._seed, epoch, row)
        for (transform, first, last, writes), shape in zip(self._plan, self._shapes, strict=False):
            if image.shape != shape:
                raise self._uneven(image, shape, row)
            image = transform(image, numbers[first:last], key, out if writes else None)
        if image is out:
            return
        if image.shape != out.shape:
            raise self._uneven(image, out.shape, row)
        if image.dtype == out.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
            cv2.copyTo(image, _NO_MASK, out)  # faster than numpy over rows with gaps between them
        else:
            np.copyto(out, image, casting="unsafe")

    def _uneven(self, image: np.ndarray, shape: tuple[int, ...], row: int) -> UserError:
        return UserError(
            f"preprocessors: every image of a batch must come out in one shape; row {row} has "
            f"shape {image.shape}, the first had {shape}; resize or crop to a fixed size"
        )

    def __getstate__(self) -> tuple[Any, ...]:
        return self._preprocessors, self._seed, self._shapes, self._writer

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        preprocessors, seed, shapes, writer = state
        self.__init__(preprocessors, seed)  # type: ignore[misc]
        self._shapes, self._writer = shapes, writer
        self._plan = self._make_plan()


def _step(preprocessor: Any, index: int, first: int) -> _Step:
    preprocess = getattr(preprocessor, "preprocess", None)
    if not callable(preprocess):
        raise UserError(
            f"preprocessors: each must have a method preprocess(image) that returns an image; received {preprocessor!r}"
        )
    try:
        known = set(inspect.signature(preprocess).parameters)
    except ValueError:
        known = set()
    transform = getattr(preprocessor, "transform", None)
    if transform is not None:

        def run(image: np.ndarray, numbers: list[float], key: Key, out: np.ndarray | None) -> Any:
            return transform(image, numbers, out)

        return _Step(run, first, first + getattr(preprocessor, "draws", 0), "out" in known)

    random = "rng" in known

    def run_users_own(image: np.ndarray, numbers: list[float], key: Key, out: np.ndarray | None) -> Any:
        if not image.flags.writeable:  # it may change the image that it is given
            image = image.copy()
        keywords = {"rng": np.random.default_rng((*key, index))} if random else {}
        return preprocess(image, **keywords, **({} if out is None else {"out": out}))

    return _Step(run_users_own, first, first, "out" in known)
