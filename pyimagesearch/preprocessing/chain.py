"""A list of preprocessors, run on one image straight into its place in the batch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing.randomness import DrawnNumbers


class _Step(NamedTuple):
    preprocess: Callable[..., Any]
    draws: int
    """Numbers it takes from those drawn beforehand; 0 for none."""
    wants_generator: bool
    """Whether it takes a ``numpy.random.Generator`` of its own instead."""
    writes_out: bool
    """Whether it can write its result where it is told to."""
    may_write_input: bool
    """Whether it may change the image that it is given, as a user's own may."""


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
        self._steps = [_step(p) for p in preprocessors]
        self._seed = seed
        self._writer: int | None = None
        self.draws = sum(step.draws for step in self._steps)
        """Random numbers to be drawn for each image."""

    def probe(self, image: np.ndarray, numbers: list[float], dtype: Any) -> np.ndarray:
        """Return what becomes of a first image; learn who can write into a batch of ``dtype``."""
        stages = [image]
        drawn = DrawnNumbers(numbers)
        for index in range(len(self._steps)):
            stages.append(self._call(index, stages[-1], drawn, 0, 0, None))
        result = stages[-1]
        if not isinstance(result, np.ndarray):
            raise UserError(f"preprocessors: the last must return an array; received {type(result).__name__}")
        self._writer = None
        for index in reversed(range(len(self._steps))) if result.dtype == dtype else ():
            if self._steps[index].writes_out and stages[index + 1] is result:
                self._writer = index
            if self._writer is not None or stages[index + 1] is not stages[index]:
                break
        return result

    def run(self, image: np.ndarray, numbers: list[float], row: int, epoch: int, out: np.ndarray) -> None:
        """Write the preprocessed ``image`` into ``out``, of the shape that `probe` found.

        Args:
            numbers: `draws` random numbers in [0, 1).
            row, epoch: whose numbers these are.

        Raises:
            UserError: the result has another shape than that of the first image.
        """
        drawn = DrawnNumbers(numbers)
        for index in range(len(self._steps)):
            place = out if index == self._writer else None
            image = self._call(index, image, drawn, row, epoch, place)
        if image is out:
            return
        if image.shape != out.shape:
            raise UserError(
                f"preprocessors: every image of a batch must come out in one shape; row {row} has "
                f"shape {image.shape}, the first had {out.shape}; resize or crop to a fixed size"
            )
        np.copyto(out, image, casting="unsafe")

    def _call(self, index: int, image: Any, drawn: DrawnNumbers, row: int, epoch: int, out: Any) -> Any:
        step = self._steps[index]
        if step.may_write_input and not image.flags.writeable:
            image = image.copy()
        keywords: dict[str, Any] = {}
        if step.draws:
            keywords["rng"] = drawn
        elif step.wants_generator:
            keywords["rng"] = np.random.default_rng((self._seed, epoch, row, index))
        if out is not None:
            keywords["out"] = out
        return step.preprocess(image, **keywords)


def _step(preprocessor: Any) -> _Step:
    preprocess = getattr(preprocessor, "preprocess", None)
    if not callable(preprocess):
        raise UserError(
            f"preprocessors: each must have a method preprocess(image) that returns an image; received {preprocessor!r}"
        )
    try:
        known = inspect.signature(preprocess).parameters.keys()
    except ValueError:
        known = {}.keys()
    draws = getattr(preprocessor, "draws", 0) if "rng" in known else 0
    ours = type(preprocessor).__module__.startswith("pyimagesearch.")
    return _Step(preprocess, draws, "rng" in known and not draws, "out" in known, not ours)
