"""The book's camelCase keywords, accepted by functions that spell them in snake_case."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

_IRREGULAR = {"buffSize": "buf_size"}


def snake_case(name: str) -> str:
    """Return the PEP 8 spelling of a keyword of the book: ``rMean`` -> ``r_mean``."""
    return _IRREGULAR.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def accepts_book_names(function: Callable[..., Result]) -> Callable[..., Result]:
    """Make ``function`` accept the book's camelCase spelling of each of its keywords.

    Raises:
        TypeError: a keyword is unknown in both spellings, or given in both.
    """
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Result:
        if kwargs.keys() <= known.keys():
            return function(*args, **kwargs)
        renamed: dict[str, Any] = {}
        for name, value in kwargs.items():
            new = name if name in known else snake_case(name)
            if new in renamed or (new != name and new in kwargs):
                raise TypeError(f"{function.__qualname__}() got {new!r} twice: as {new} and in the book's spelling")
            renamed[new] = value
        return function(*args, **renamed)

    return wrapper
