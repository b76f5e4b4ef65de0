"""Errors of the library, which speaks Python, in the words of the command line."""

import re
from argparse import Namespace
from collections.abc import Iterable
from typing import TypeVar

from pyimagesearch.cli.options import Option
from pyimagesearch.errors import UserError

Error = TypeVar("Error", bound=UserError)

_ADVICE = re.compile(r"(?<![^\s(,;])([a-z]\w*)=(\"[^\"]*\"|'[^']*'|\w+(?:[.:]\w+)*)")
_FLAG_OF = {"overwrite": "force"}  # in Python -> in a script
_SETTING_OF = {"formats": "IMAGE_FORMATS", "max_pixels": "MAX_IMAGE_PIXELS"}  # in Python -> in a config


def for_command_line(
    error: Error, options: Iterable[Option], given: Namespace | None = None, settings: Iterable[str] = ()
) -> Error:
    """Return an error whose message names options and settings instead of arguments.

    ``batch_size: must be ...`` becomes ``--batch-size: must be ...``, or ``BATCH_SIZE: must be ...`` where the value
    is the config's; ``overwrite=True`` becomes ``--force``, ``on_error="skip"`` becomes ``--on-error skip``.

    Args:
        options: those of the script.
        given: the options as they were parsed; None where the config has given nothing.
        settings: the names that the config has.
    """
    by_name, known = _by_name(tuple(options)), set(settings)
    message = _ADVICE.sub(lambda found: _advice(found, by_name, known), str(error))
    name, colon, rest = message.partition(": ")
    if colon and re.fullmatch(r"[a-z]\w*", name):
        message = f"{_place(name, by_name, given, known)}: {rest}"
    if message == str(error):
        return error
    translated = type(error)(message)
    translated.__cause__ = error
    return translated


def advice_in_flags(words: str, options: Iterable[Option], settings: Iterable[str] = ()) -> str:
    """Return words in which ``overwrite=True`` has become ``--force``, and ``channels=1`` ``CHANNELS = 1``."""
    by_name, known = _by_name(tuple(options)), set(settings)
    return _ADVICE.sub(lambda found: _advice(found, by_name, known), words)


def _by_name(options: tuple[Option, ...]) -> dict[str, Option]:
    """Return options by all names that they have in Python."""
    names = {flag.lstrip("-").replace("-", "_"): option for option in options for flag in option.flags}
    return names | {option.dest: option for option in options}


def _place(name: str, options: dict[str, Option], given: Namespace | None, settings: set[str]) -> str:
    option = options.get(name) or options.get(name.removesuffix("_path"))
    if option and not (option.config in settings and getattr(given, option.dest, None) is None):
        return option.flag
    if option and option.config:
        return option.config
    setting = _SETTING_OF.get(name, name.upper())
    return setting if setting in settings else name


def _advice(found: re.Match[str], options: dict[str, Option], settings: set[str]) -> str:
    name, value = found.groups()
    option = options.get(_FLAG_OF.get(name, name))
    setting = _SETTING_OF.get(name, name.upper())
    if option is None and setting in settings:
        return f"{setting} = {value}"
    if option is None or not option.flag.startswith("--"):
        return found[0]
    takes_value = option.more.get("action") is None
    if not takes_value:
        return option.flag if value == "True" else found[0]
    return f"{option.flag} {value.strip(chr(34) + chr(39))}"


def in_words(error: BaseException) -> str:
    """Return what an error says, on one line; after its kind, if it is none that a user can mend."""
    words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())
