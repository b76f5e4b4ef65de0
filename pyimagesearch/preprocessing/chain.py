"""A list of preprocessors, run on one image straight into its place in the batch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing.randomness import DrawnNumbers

Key = tuple[int, int, int]
"""Seed, epoch and row: what all random numbers of an image depend on."""


class _Step(NamedTuple):
    run: Callable[..., Any]
    """Called as ``run(image, drawn, key)``, with ``out=`` if it may write there."""
    draws: int
    """Numbers that it takes from those drawn beforehand."""
    writes_out: bool
    """Whether it can write its result where it is told to."""


class Chain:
    """Preprocessors in a row, and what must be known to run them.

    Args:
        preprocessors: objects with ``preprocess(image) -> image``. One that also takes ``rng`` is
            given random numbers that depend on seed, epoch and row alone; one that also takes
            ``out`` may be asked to write its result there.
        seed: seed of all random numbers.

    Raises:
        UserError: an object has no ``preprocess``.
    """

    def __init__(self, preprocessors: Sequence[Any], seed: int) -> None:
        self._preprocessors, self._seed = list(preprocessors), seed & 0xFFFFFFFFFFFFFFFF
        self._steps = [_step(p, index) for index, p in enumerate(preprocessors)]
        self._let_write(None)
        self.draws = sum(step.draws for step in self._steps)
        """Random numbers to be drawn for each image."""

    def probe(self, image: np.ndarray, numbers: list[float], dtype: Any) -> np.ndarray:
        """Return what becomes of a first image; learn who can write into a batch of ``dtype``."""
        stages = [image]
        drawn, key = DrawnNumbers(numbers), (self._seed, 0, 0)
        for step in self._steps:
            stages.append(step.run(stages[-1], drawn, key))
        result = stages[-1]
        if not isinstance(result, np.ndarray):
            raise UserError(f"preprocessors: the last must return an array; received {type(result).__name__}")
        self._let_write(None)
        for index in reversed(range(len(self._steps))) if result.dtype == dtype else ():
            if self._steps[index].writes_out and stages[index + 1] is result:
                self._let_write(index)
                break
            if stages[index + 1] is not stages[index]:
                break
        return result

    def _let_write(self, index: int | None) -> None:
        """Let the step at ``index`` write into the batch, or none."""
        self._index = index
        self._before = self._steps[:index]
        self._writer = None if index is None else self._steps[index].run
        self._after = [] if index is None else self._steps[index + 1 :]

    def __getstate__(self) -> tuple[list[Any], int, int | None]:
        return self._preprocessors, self._seed, self._index

    def __setstate__(self, state: tuple[list[Any], int, int | None]) -> None:
        preprocessors, seed, index = state
        self.__init__(preprocessors, seed)  # type: ignore[misc]
        self._let_write(index)

    def run(self, image: np.ndarray, numbers: list[float], row: int, epoch: int, out: np.ndarray) -> None:
        """Write the preprocessed ``image`` into ``out``, of the shape that `probe` found.

        Args:
            numbers: `draws` random numbers in [0, 1).
            row, epoch: whose numbers these are.

        Raises:
            UserError: the result has another shape than that of the first image.
        """
        drawn, key = DrawnNumbers(numbers), (self._seed, epoch, row)
        for step in self._before:
            image = step.run(image, drawn, key)
        if self._writer is not None:
            image = self._writer(image, drawn, key, out=out)
            for step in self._after:
                image = step.run(image, drawn, key)
            if image is out:
                return
        if image.shape != out.shape:
            raise UserError(
                f"preprocessors: every image of a batch must come out in one shape; row {row} has "
                f"shape {image.shape}, the first had {out.shape}; resize or crop to a fixed size"
            )
        np.copyto(out, image, casting="unsafe")


def _step(preprocessor: Any, index: int) -> _Step:
    preprocess = getattr(preprocessor, "preprocess", None)
    if not callable(preprocess):
        raise UserError(
            f"preprocessors: each must have a method preprocess(image) that returns an image; received {preprocessor!r}"
        )
    try:
        known = set(inspect.signature(preprocess).parameters)
    except ValueError:
        known = set()
    draws = getattr(preprocessor, "draws", 0) if "rng" in known else 0
    if draws:

        def run(image: np.ndarray, drawn: DrawnNumbers, key: Key, **out: Any) -> Any:
            return preprocess(image, rng=drawn, **out)

    elif "rng" in known:

        def run(image: np.ndarray, drawn: DrawnNumbers, key: Key, **out: Any) -> Any:
            return preprocess(_writable(image), rng=np.random.default_rng((*key, index)), **out)

    elif type(preprocessor).__module__.startswith("pyimagesearch."):

        def run(image: np.ndarray, drawn: DrawnNumbers, key: Key, **out: Any) -> Any:
            return preprocess(image, **out)

    else:  # a user's own, which may change the image that it is given

        def run(image: np.ndarray, drawn: DrawnNumbers, key: Key, **out: Any) -> Any:
            return preprocess(_writable(image), **out)

    return _Step(run, draws, "out" in known)


def _writable(image: np.ndarray) -> np.ndarray:
    return image if image.flags.writeable else image.copy()
