"""Progress of long work: a bar with ETA on a terminal, a plain line every ten seconds elsewhere."""

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import TextIO, TypeVar

Item = TypeVar("Item")

_SECONDS_BETWEEN_LINES = 10.0
_hidden = 0  # blocks that hide progress and have not ended


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Show no progress until the block ends."""
    global _hidden
    _hidden += 1
    try:
        yield
    finally:
        _hidden -= 1


def is_coloured(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that shows colours, and its user wants them (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def progress(items: Iterable[Item], total: int, label: str, weight: int = 1, done: int = 0) -> Iterator[Item]:
    """Yield ``items``, and show how much of the work is done, how fast, and when it will end.

    Args:
        items: to work on; each counts as done when the next one is asked for.
        total: units of work in all.
        label: the work, such as "Decoding".
        weight: units in an item, such as the batch size; the last item may have fewer.
        done: units that an earlier run did.
    """
    if _hidden:
        yield from items
        return
    shown = _bar(total, label) if sys.stderr.isatty() else _Lines(total, label, done)
    try:
        for item in items:
            yield item
            done = min(done + weight, total)
            shown.update(done)
    finally:
        shown.finish(dirty=done < total)


def _bar(total: int, label: str):  # type: ignore[no-untyped-def]
    import progressbar

    widgets = [
        f"{label}: ", progressbar.Percentage(), " ", progressbar.Bar(), " ",
        progressbar.AdaptiveTransferSpeed(unit="images", prefixes=[""]), " ", progressbar.ETA(),
    ]  # fmt: skip
    colours = None if is_coloured(sys.stderr) else False
    return progressbar.ProgressBar(max_value=total, widgets=widgets, enable_colors=colours).start()


class _Lines:
    """Writes ``Decoding: 40% (1,000 of 2,500), 812/s, ETA 0:00:02`` every ten seconds."""

    def __init__(self, total: int, label: str, done: int) -> None:
        self._total, self._label, self._before = total, label, done
        self._start = self._last = time.monotonic()

    def update(self, done: int) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES and done < self._total:
            self._last = now
            speed = (done - self._before) / (now - self._start)
            eta = timedelta(seconds=round((self._total - done) / speed)) if speed else "unknown"
            self._say(f"{done / self._total:.0%} ({done:,} of {self._total:,}), {speed:,.0f}/s, ETA {eta}")

    def finish(self, dirty: bool) -> None:
        if not dirty:
            seconds = max(time.monotonic() - self._start, 1e-9)
            speed = (self._total - self._before) / seconds
            self._say(f"100% ({self._total:,}) in {seconds:.1f} s, {speed:,.0f}/s")

    def _say(self, words: str) -> None:
        sys.stderr.write(f"{self._label}: {words}\n")
        sys.stderr.flush()


class Meter:
    """Shows how much of the work is done, in steps of any size; a context manager.

    Args:
        total: units of work in all.
        label: the work, such as "Decoding".
    """

    def __init__(self, total: int, label: str) -> None:
        self._ticks = progress(itertools.repeat(None), total, label)
        self._shown = -1  # the first tick only begins

    def show(self, done: int) -> None:
        """Show that ``done`` units are done; what was shown once stays shown."""
        while self._shown < done:
            next(self._ticks)
            self._shown += 1

    def __enter__(self) -> "Meter":
        self.show(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticks.close()  # type: ignore[attr-defined]
