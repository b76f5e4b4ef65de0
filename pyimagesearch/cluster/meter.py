"""Progress of tasks that run elsewhere."""

import itertools
from types import TracebackType

from pyimagesearch.utils.progress import progress


class Meter:
    """Shows how much is done, in any steps; a context manager.

    Args:
        total: units in all.
        label: what is being done, as "Decoding".
    """

    def __init__(self, total: int, label: str) -> None:
        self._ticks = progress(itertools.repeat(None), total, label)
        self._shown = -1  # the first tick only begins

    def show(self, done: int) -> None:
        """Show that ``done`` units are done; what was shown once is not taken back."""
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
