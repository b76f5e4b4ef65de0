"""Any value of a setting or a result as JSON has it."""

import math
import os
from collections.abc import Mapping
from typing import Any


def as_json(value: Any) -> Any:
    """Return ``value`` as dicts, lists, strings, finite numbers, booleans and None.

    Arrays and numpy's numbers become lists and numbers, functions and classes their full names, paths text, numbers
    that are not finite None, and whatever else there is its ``repr``.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(each) for each in value]
    if hasattr(value, "tolist"):  # arrays and numbers of numpy, without importing it
        return as_json(value.tolist())
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)
