"""The script that runs: what it may print, and what it leaves in the record."""

import contextlib
import json
import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from pyimagesearch.utils.progress import hidden
from pyimagesearch.utils.text import as_json, without_credentials

if TYPE_CHECKING:
    from pyimagesearch.runs.recorder import Recorder


class Running:
    """One call of a script, for as long as it lasts; a context manager. Scripts may call scripts.

    With ``--quiet`` everything but the closing table is dropped. With ``--json`` stdout gets one JSON object, and
    everything else goes to stderr.

    Attributes:
        current: the innermost call, or None.
        caller: the script that called this one, or None.
        screen: where results go.
        recorder: writes its record; None if it leaves none.
    """

    current: ClassVar["Running | None"] = None

    def __init__(self, quiet: bool, json_alone: bool, recorder: "Recorder | None" = None) -> None:
        self.caller = Running.current
        self.screen: TextIO = sys.stdout
        self.quiet, self.json, self.recorder = quiet, json_alone, recorder
        self._until_end = contextlib.ExitStack()

    @property
    def is_silent(self) -> bool:
        """True if it, or a script that called it, prints no story."""
        return self.quiet or (self.caller is not None and self.caller.is_silent)

    @property
    def caller_s_recorder(self) -> "Recorder | None":
        """The recorder of the next caller whose record has begun."""
        caller = self.caller
        while caller and not (caller.recorder and caller.recorder.has_begun):
            caller = caller.caller
        return caller.recorder if caller else None

    def print_json(self, result: Any) -> None:
        """Print what the script returned, if that was asked for."""
        if self.json:
            text = json.dumps(as_json(result), indent=2, allow_nan=False)
            print(without_credentials(text), file=self.screen, flush=True)

    def stop(self) -> None:
        """Record that this script, and those that called it, were stopped: the process is about to end."""
        if self.recorder:
            self.recorder.end("stopped")
        if self.caller:
            self.caller.stop()

    def __enter__(self) -> "Running":
        Running.current = self
        if self.quiet:
            nowhere = self._until_end.enter_context(open(os.devnull, "w", encoding="utf-8"))
            self._until_end.enter_context(contextlib.redirect_stdout(nowhere))
            self._until_end.enter_context(hidden())
        elif self.json:
            self._until_end.enter_context(contextlib.redirect_stdout(sys.stderr))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._until_end.close()
        Running.current = self.caller
