"""How every benchmark measures and what it prints.

**Paired rounds.** All sides of a question run in turns, A B C A B C ..., in one process. A ratio is taken
within each round, so that a machine that slows down slows both sides; the median of the rounds is
reported, with the lowest and the highest.

**Streams.** A side is an iterator that does some work at every ``next`` and gives how many images that
was. Streams that prefetch say how many items they hold (`Stream.ahead`): before a side is timed, all
others must have come to rest, and what it has in stock is thrown away.

**Protocol.** A script prints one JSON object a line on standard output for every measurement:

    {"question": ..., "ours": ..., "against": ..., "ratio": median, "low": ..., "high": ...,
     "ours_value": ..., "against_value": ..., "unit": ..., "bar": ..., "at_most": false, "met": true,
     "note": ...}

``bar``, ``met`` and ``note`` are null where there is none; a fact without a rival has ``against`` null and
its value in ``ratio``. A question that cannot be asked here prints {"question": ..., "skipped": why}. Other lines
are for people.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

_QUIET_SECONDS, _QUIET_SHARE, _QUIET_LIMIT = 0.03, 0.1, 5.0


class Stream(NamedTuple):
    """One side of a race: an endless iterator of counts of images."""

    items: Iterator[int]
    ahead: int = 0
    """Items that it prepares before they are asked for."""
    before: Callable[[], None] | None = None
    """Called before each round, untimed."""


def repeat(work: Callable[[], int], before: Callable[[], None] | None = None) -> Stream:
    """Make a stream of a function that returns how many images it dealt with."""

    def items() -> Iterator[int]:
        while True:
            yield work()

    return Stream(items(), before=before)


def race(streams: Mapping[str, Stream], rounds: int = 7, seconds: float = 0.5) -> dict[str, list[float]]:
    """Return the images per second of every stream in every round."""
    for stream in streams.values():
        next(stream.items)  # files are opened, functions compiled, pages read
    speeds: dict[str, list[float]] = {name: [] for name in streams}
    per_cpu: dict[str, list[float]] = {name: [] for name in streams}
    for _ in range(rounds):
        for name, stream in streams.items():
            wait_until_quiet()
            for _ in range(stream.ahead):
                next(stream.items)
            if stream.before is not None:
                stream.before()
            images, spent, work = _timed(stream.items, seconds)
            speeds[name].append(images / spent)
            per_cpu[name].append(images / work)
    for name, values in speeds.items():
        print(
            f"  {name}: {median(values):,.0f} images/s [{min(values):,.0f} - {max(values):,.0f}], "
            f"{median(per_cpu[name]):,.0f} per second of processor time",
            flush=True,
        )
    return speeds


def wait_until_quiet() -> None:
    """Wait until no thread of this process works any more: prefetched batches of other sides are done."""
    end = time.perf_counter() + _QUIET_LIMIT
    while time.perf_counter() < end:
        before = time.process_time()
        time.sleep(_QUIET_SECONDS)
        if time.process_time() - before < _QUIET_SHARE * _QUIET_SECONDS:
            return


def _timed(items: Iterator[int], seconds: float) -> tuple[int, float, float]:
    """Return images, seconds on the clock, and seconds of processor time of all threads."""
    images, start, work = 0, time.perf_counter(), time.process_time()
    while True:
        images += next(items)
        spent = time.perf_counter() - start
        if spent >= seconds:
            return images, spent, max(time.process_time() - work, 1e-9)


def report(
    question: str,
    speeds: Mapping[str, Sequence[float]],
    ours: str,
    against: str,
    bar: float | None = None,
    unit: str = "images/s",
    note: str | None = None,
) -> None:
    """Print how many times faster ``ours`` is than ``against``, both names of ``speeds``."""
    ratios = [a / b for a, b in zip(speeds[ours], speeds[against], strict=True)]
    _emit(
        question=question, ours=ours, against=against, ratio=median(ratios), low=min(ratios),
        high=max(ratios), ours_value=median(speeds[ours]), against_value=median(speeds[against]),
        unit=unit, bar=bar, at_most=False, met=None if bar is None else median(ratios) >= bar, note=note,
    )  # fmt: skip


def report_value(
    question: str,
    ours: str,
    values: Sequence[float],
    unit: str,
    at_most: float | None = None,
    note: str | None = None,
) -> None:
    """Print something that is counted rather than raced: bytes, megabytes, a share of time."""
    _emit(
        question=question, ours=ours, against=None, ratio=median(values), low=min(values), high=max(values),
        ours_value=median(values), against_value=None, unit=unit, bar=at_most, at_most=True,
        met=None if at_most is None else median(values) <= at_most, note=note,
    )  # fmt: skip


def skip(question: str, why: str) -> None:
    """Print that a question cannot be asked here, and why."""
    _emit(question=question, skipped=why)


def _emit(**fields: Any) -> None:
    rounded = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in fields.items()}
    print(json.dumps(rounded), flush=True)


def cpus() -> int:
    """Return how many processors there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
