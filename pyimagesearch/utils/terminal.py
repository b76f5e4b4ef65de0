"""What scripts may print, and how: ``--quiet``, ``--json``, closing tables, colours."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from pyimagesearch.utils.progress import hidden, is_coloured
from pyimagesearch.utils.text import aligned, as_json, without_credentials

_scopes: list["Scope"] = []


class Scope:
    """What one call of a script's ``main`` may print."""

    def __init__(self, redirections: contextlib.ExitStack) -> None:
        self.screen: TextIO = sys.stdout
        self.quiet = self.json = False
        self._redirections = redirections

    def obey(self, quiet: bool, json_alone: bool) -> None:
        """Keep everything but the closing table off the screen, or everything but one JSON object.

        What the JSON object displaces goes to stderr, unless ``quiet`` as well.
        """
        self.quiet, self.json = quiet, json_alone
        if quiet:
            nowhere = self._redirections.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
            self._redirections.enter_context(contextlib.redirect_stdout(nowhere))
            self._redirections.enter_context(hidden())
        elif json_alone:
            self._redirections.enter_context(contextlib.redirect_stdout(sys.stderr))

    def print_json(self, result: Any) -> None:
        """Print what ``main`` returned, if that was asked for."""
        if self.json:
            text = json.dumps(as_json(result), indent=2, allow_nan=False)
            print(without_credentials(text), file=self.screen, flush=True)


@contextlib.contextmanager
def scope() -> Iterator[Scope]:
    """Let the options of `cli.parser` hold until the block ends; scripts may call scripts."""
    with contextlib.ExitStack() as redirections:
        _scopes.append(Scope(redirections))
        try:
            yield _scopes[-1]
        finally:
            _scopes.pop()


def obey(quiet: bool, json_alone: bool) -> None:
    """Follow the options of the script that runs."""
    if _scopes:
        _scopes[-1].obey(quiet, json_alone)


def is_quiet() -> bool:
    """Return whether only errors and closing tables are wanted."""
    return any(each.quiet for each in _scopes)


def screen() -> TextIO:
    """Return where results go that are printed with ``--quiet``, too."""
    return _scopes[-1].screen if _scopes else sys.stdout


def verbosity() -> int:
    """Return ``verbose`` for Keras: 1, a bar in colours, 2, a line an epoch, or 0."""
    if is_quiet():
        return 0
    return 1 if is_coloured(sys.stdout) else 2


def table(header: Sequence[str], *rows: Sequence[str]) -> None:
    """Print a script's closing table, also with ``--quiet``; its header is bold on a terminal with colours."""
    stream = _closing_stream()
    first, *others = aligned([[_printable(cell) for cell in row] for row in (header, *rows)])
    closing("\n".join([f"\033[1m{first}\033[0m" if is_coloured(stream) else first, *others]))


def closing(text: str) -> None:
    """Print what stands at a script's end instead of a table, also with ``--quiet``."""
    print(f"\n{text}", file=_closing_stream(), flush=True)


def _closing_stream() -> TextIO:
    alone = _scopes and _scopes[-1].quiet and not _scopes[-1].json
    return screen() if alone else sys.stdout


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
